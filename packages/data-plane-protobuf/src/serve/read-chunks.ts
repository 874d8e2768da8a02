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
  // One half is on its way while the other is read; a batch takes one wait for the disk.
  const memory: Buffer<ArrayBuffer>[][] = [[], []];
  const handle = await open(file, "r");
  try {
    for (let at = Number(offset), turn = 0; at < size_bytes; turn = 1 - turn) {
      const chunks = [];
      for (let begin = at, slot = 0; slot < messagesAhead && begin < size_bytes; slot++) {
        const chunk = layOutChunk(Math.min(chunkBytes, size_bytes - begin), begin, memory[turn]?.[slot]);
        chunks.push(chunk);
        begin += chunk.data.length;
      }
      memory[turn] = chunks.map(({ message }) => Buffer.from(message.buffer as ArrayBuffer));
      const read = await handle.readv(
        chunks.map(({ data }) => data),
        at,
      );
      let left = read.bytesRead;
      for (const { message, data } of chunks) {
        // Seldom the disk gives less than it was asked for.
        for (let filled = Math.min(left, data.length); filled < data.length; ) {
          const { bytesRead } = await handle.read(data, filled, data.length - filled, at + filled);
          if (bytesRead === 0) {
            throw new Error(`Expected ${file} to have ${size_bytes} bytes, found ${at + filled}`);
          }
          filled += bytesRead;
        }
        left = Math.max(0, left - data.length);
        at += data.length;
        yield message;
        tidy(data.length);
      }
    }
  } finally {
    await handle.close();
  }
}
