import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Input, OperationContext } from "@aieffect/service-kit";

type Task = Pick<OperationContext, "signal" | "progress">;

/**
 * The payload of an input, piece by piece. How much of it has been read is reported as the task's
 * progress, where the size is known; a cancelled task ends it.
 */
export async function* readInput(input: Input, task: Task): AsyncGenerator<Buffer> {
  const { protocol, size_bytes } = input.reference;
  const size = size_bytes ?? (protocol === "file" ? await sizeOf(await input.path()) : undefined);
  yield* follow(await input.stream(), size, task);
}

/** The same of a file of this machine. */
export async function* readFile(path: string, task: Task): AsyncGenerator<Buffer> {
  yield* follow(createReadStream(path), await sizeOf(path), task);
}

async function* follow(
  pieces: AsyncIterable<Buffer>,
  size: number | undefined,
  { signal, progress }: Task,
): AsyncGenerator<Buffer> {
  let read = 0;
  let shown = 0;
  for await (const piece of pieces) {
    signal.throwIfAborted();
    read += piece.length;
    // 100 is for the end, when the result has been published as well.
    const percent = size === undefined ? 0 : Math.min(99, Math.floor((read / size) * 100));
    if (percent > shown) {
      progress(percent, `${toMegabytes(read)} of ${toMegabytes(size ?? read)} MB read`);
      shown = percent;
    }
    yield piece;
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path)).size;
}

function toMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
