import { open } from "node:fs/promises";
import { status } from "@grpc/grpc-js";
import { refusal } from "../refusal.ts";
import { allocateChunk } from "../results/chunk.ts";
import type { Result } from "../results/result-index.ts";

/** Bytes in a chunk (R-GRPC-07). */
export const chunkBytes = 256 * 1024;

/** A result from an offset on, as `Chunk` messages, read as fast as they are taken. @throws refusal OUT_OF_RANGE */
export async function* readChunks(
  { file, size_bytes }: Result,
  offset: bigint,
): AsyncGenerator<Buffer, void, undefined> {
  if (offset > BigInt(size_bytes)) {
    throw refusal(status.OUT_OF_RANGE, `Expected an offset of at most ${size_bytes}, found ${offset}`);
  }
  const handle = await open(file, "r");
  try {
    for (let at = Number(offset); at < size_bytes; at += chunkBytes) {
      const { message, data } = allocateChunk(Math.min(chunkBytes, size_bytes - at), at);
      for (let filled = 0; filled < data.length; ) {
        const { bytesRead } = await handle.read(data, filled, data.length - filled, at + filled);
        if (bytesRead === 0) {
          throw new Error(`Expected ${file} to have ${size_bytes} bytes, found ${at + filled}`);
        }
        filled += bytesRead;
      }
      yield message;
    }
  } finally {
    await handle.close();
  }
}
