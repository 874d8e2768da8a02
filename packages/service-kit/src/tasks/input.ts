import type { Readable } from "node:stream";
import { ControlError, type DataReference } from "@aieffect/control-interface";
import type { FilePlane, RetryNotice } from "@aieffect/data-plane-file";
import type { Input, StreamOptions } from "../operation.ts";
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
  /** Told whenever a fetch goes on after a failure. */
  onRetry(notice: RetryNotice): void;
}

/** An input that reads its payload when asked to, and not before. */
export function createInput(
  reference: DataReference,
  { plane, abort, traceparent, folder, onOpen, onRetry }: InputParts,
): Input {
  const options = { signal: abort.signal, onRetry, ...(traceparent !== undefined && { traceparent }) };
  // A file is read where it lies.
  const copyFolder = async () => (reference.protocol === "file" ? "" : folder());
  const stream = async ({ verified = false }: StreamOptions = {}) => {
    const opened = verified
      ? await plane.openVerified(reference, await copyFolder(), options)
      : await plane.open(reference, options);
    onOpen(opened);
    return opened;
  };
  const bytes = async (max_bytes = defaultMaxBytes) => {
    const take = (payload: Readable) => {
      onOpen(payload);
      return collect(payload, max_bytes);
    };
    return plane.readWhole(reference, take, options);
  };
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
  const path = async () => plane.localPath(reference, await copyFolder(), options);
  return {
    reference,
    stream: (given) => heeded(stream(given)),
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
