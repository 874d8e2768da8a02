import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { DataReference } from "@aieffect/control-interface";
import { givenUp } from "./failures.ts";
import type { FetchOptions } from "./fetch.ts";
import { toLocalPath } from "./local-path.ts";
import type { Sources } from "./open.ts";
import { bufferSize } from "./transfer.ts";

/** Opens a payload of which every byte is verified already; a copy in `folder` is removed when the stream closes. */
export async function openVerified(
  reference: DataReference,
  folder: string,
  sources: Sources,
  options: FetchOptions,
): Promise<Readable> {
  const path = await toLocalPath(reference, folder, sources, options);
  const stream = createReadStream(path, { highWaterMark: bufferSize });
  const { signal } = options;
  const onAbort = () => stream.destroy(givenUp(`Reading ${path}`, signal as AbortSignal));
  stream.once("close", () => {
    signal?.removeEventListener("abort", onAbort);
    // What cannot be removed goes with the task's folder.
    if (reference.protocol !== "file") rm(path, { force: true }).catch(() => {});
  });
  // An abort may come before the reader listens; the error waits in the stream until it does.
  stream.on("error", () => {});
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return stream;
}
