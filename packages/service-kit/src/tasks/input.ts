import type { Readable } from "node:stream";
import { ControlError, type DataReference } from "@aieffect/control-interface";
import type { FilePlane } from "@aieffect/data-plane-file";
import type { Input } from "../operation.ts";
import { heeded } from "./heeded.ts";

const defaultMaxBytes = 64 * 2 ** 20;

/** What reading an input needs. */
export interface InputParts {
  plane: FilePlane;
  abort: { readonly signal: AbortSignal };
  traceparent: string | undefined;
  folder(): Promise<string>;
  /** Told of every stream, so that none outlives the task. */
  onOpen(stream: Readable): void;
}

/** An input that reads its payload when asked to, and not before. */
export function createInput(
  reference: DataReference,
  { plane, abort, traceparent, folder, onOpen }: InputParts,
): Input {
  const options = { signal: abort.signal, ...(traceparent !== undefined && { traceparent }) };
  const stream = async () => {
    const opened = await plane.open(reference, options);
    onOpen(opened);
    return opened;
  };
  const bytes = async (max_bytes = defaultMaxBytes) => collect(await stream(), max_bytes);
  const text = async (max_bytes?: number) => (await bytes(max_bytes)).toString("utf8");
  const json = async (max_bytes?: number): Promise<unknown> => {
    // A byte order mark is no JSON, but peers on Windows write it.
    const found = (await text(max_bytes)).replace(/^\uFEFF/, "");
    try {
      return JSON.parse(found);
    } catch (cause) {
      const message = `Expected the input to be JSON. ${(cause as Error).message}`;
      throw new ControlError("unreadable_reference", message, { cause });
    }
  };
  const path = async () =>
    plane.localPath(reference, reference.protocol === "file" ? "" : await folder(), options);
  return {
    reference,
    stream: () => heeded(stream()),
    bytes: (max_bytes) => heeded(bytes(max_bytes)),
    text: (max_bytes) => heeded(text(max_bytes)),
    json: (max_bytes) => heeded(json(max_bytes)),
    path: () => heeded(path()),
  };
}

async function collect(stream: Readable, max_bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > max_bytes) {
      throw new ControlError(
        "unreadable_reference",
        `Expected an input of at most ${max_bytes} bytes, found more; read it with stream() or path()`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
