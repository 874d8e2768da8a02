import { open } from "node:fs/promises";
import { status } from "@grpc/grpc-js";
import type { Chunk } from "../generated/aieffect/dataplane/v1/results.ts";
import { refusal } from "../refusal.ts";
import type { Result } from "../results/result-index.ts";

/** Bytes in a chunk (R-GRPC-07). */
export const chunkBytes = 256 * 1024;

/** A result from an offset on, in chunks, read as fast as they are taken. @throws refusal OUT_OF_RANGE */
export async function* readChunks(
  { file, size_bytes }: Result,
  offset: bigint,
): AsyncGenerator<Chunk, void, undefined> {
  if (offset > BigInt(size_bytes)) {
    throw refusal(status.OUT_OF_RANGE, `Expected an offset of at most ${size_bytes}, found ${offset}`);
  }
  const handle = await open(file, "r");
  try {
    for (let at = Number(offset); at < size_bytes; ) {
      const data = Buffer.allocUnsafe(Math.min(chunkBytes, size_bytes - at));
      const { bytesRead } = await handle.read(data, 0, data.length, at);
      if (bytesRead === 0) throw new Error(`Expected ${file} to have ${size_bytes} bytes, found ${at}`);
      yield { data: data.subarray(0, bytesRead), offset: BigInt(at) };
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
