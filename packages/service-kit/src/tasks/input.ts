import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { ControlError, type DataReference } from "@aieffect/control-interface";
import type { FilePlane, RetryNotice } from "@aieffect/data-plane-file";
import type { TraceContext } from "../observability/trace.ts";
import type { Tracing } from "../observability/tracing.ts";
import type { Input, StreamOptions } from "../operation.ts";
import { heeded } from "./heeded.ts";
import { createFetchMeter } from "./measure-fetch.ts";

const defaultMaxBytes = 64 * 2 ** 20;

/** What reading an input needs. */
export interface InputParts {
  plane: FilePlane;
  abort: { readonly signal: AbortSignal };
  tracing: Tracing;
  /** The span that reading belongs to. */
  trace: TraceContext | undefined;
  folder(): Promise<string>;
  /** So long a fetch may bring nothing; undefined: as long as the plane puts up with it. */
  patience_ms: number | undefined;
  /** Told of every stream, so that none outlives the task. */
  onOpen(stream: Readable): void;
  /** Told whenever a fetch goes on after a failure. */
  onRetry(notice: RetryNotice): void;
}

/** An input that reads its payload when asked to, and not before. */
export function createInput(
  reference: DataReference,
  { plane, abort, tracing, trace, folder, patience_ms, onOpen, onRetry }: InputParts,
): Input {
  const options = { signal: abort.signal, patience_ms, onRetry };
  const meter = createFetchMeter(reference, { tracing, trace, options });
  // A file is read where it lies.
  const copyFolder = async () => (reference.protocol === "file" ? "" : folder());
  const stream = async ({ verified = false }: StreamOptions = {}) => {
    const copyTo = verified ? await copyFolder() : "";
    const opened = verified
      ? await meter.whole((options) => plane.openVerified(reference, copyTo, options), sizeOfCopy)
      : await meter.stream((options) => plane.open(reference, options));
    onOpen(opened);
    return opened;
  };
  const bytes = async (max_bytes = defaultMaxBytes) => {
    const take = (payload: Readable) => {
      onOpen(payload);
      return collect(payload, max_bytes);
    };
    return meter.whole(
      (options) => plane.readWhole(reference, take, options),
      ({ length }) => length,
    );
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
  const path = async () => {
    const copyTo = await copyFolder();
    return meter.whole((options) => plane.localPath(reference, copyTo, options), sizeOfFile);
  };
  return {
    reference,
    stream: (given) => heeded(stream(given)),
    bytes: (max_bytes) => heeded(bytes(max_bytes)),
    text: (max_bytes) => heeded(text(max_bytes)),
    json: (max_bytes) => heeded(json(max_bytes)),
    path: () => heeded(path()),
  };
}

/** For a span only: a size that cannot be had is left out. */
async function sizeOfFile(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

/** A stream that is read from a file knows which. */
async function sizeOfCopy(stream: Readable & { path?: unknown }): Promise<number | undefined> {
  return typeof stream.path === "string" ? sizeOfFile(stream.path) : undefined;
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
