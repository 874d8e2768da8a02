import { open } from "node:fs/promises";
import { status } from "@grpc/grpc-js";
import { refusal } from "../refusal.ts";
import { layOutChunk } from "../results/chunk.ts";
import type { Result } from "../results/result-index.ts";
import { createTidying } from "../results/tidy.ts";
import { messagesAhead } from "./answer.ts";

/** Bytes in a chunk (R-GRPC-07). */
export const chunkBytes = 256 * 1024;

/**
 * A result from an offset on, as `Chunk` messages, read as fast as they are taken. One may be used until
 * `messagesAhead` more were asked for: their memory is used again. @throws refusal OUT_OF_RANGE
 */
export async function* readChunks(
  { file, size_bytes }: Result,
  offset: bigint,
): AsyncGenerator<Buffer, void, undefined> {
  if (offset > BigInt(size_bytes)) {
    throw refusal(status.OUT_OF_RANGE, `Expected an offset of at most ${size_bytes}, found ${offset}`);
  }
  const tidy = createTidying();
  const handle = await open(file, "r");
  try {
    const memory = Array.from({ length: messagesAhead + 1 }, () => Buffer.allocUnsafe(0));
    for (let at = Number(offset), index = 0; at < size_bytes; at += chunkBytes, index++) {
      const slot = index % memory.length;
      const { message, data } = layOutChunk(Math.min(chunkBytes, size_bytes - at), at, memory[slot]);
      memory[slot] = Buffer.from(message.buffer as ArrayBuffer);
      for (let filled = 0; filled < data.length; ) {
        const { bytesRead } = await handle.read(data, filled, data.length - filled, at + filled);
        if (bytesRead === 0) {
          throw new Error(`Expected ${file} to have ${size_bytes} bytes, found ${at + filled}`);
        }
        filled += bytesRead;
      }
      yield message;
      tidy(data.length);
    }
  } finally {
    await handle.close();
  }
}
