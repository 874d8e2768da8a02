import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { ControlError, type Format, isFormat } from "@aieffect/control-interface";
import { assertWanted, givenUp, toUnreadable } from "../read/failures.ts";
import { isInside, openFile } from "../read/file.ts";
import { type Content, isWrittenFile } from "./content.ts";
import { createDigest } from "./digest.ts";
import { assertFileName } from "./portable-name.ts";
import { writeFileAtomically } from "./write-file.ts";

/** Where and as what a payload is stored. */
export interface StoreOptions {
  /** The task's folder; exists already. */
  folder: string;
  /** Name of the file, untrusted; a file that has it is replaced. Not used for `{ path }`. @default `output.<format>` */
  name?: string | undefined;
  format: Format;
  /** Ends the writing; nothing is left behind. */
  signal?: AbortSignal | undefined;
}

/** A payload on disk, and all that a reference says of it. */
export interface StoredPayload {
  /** Absolute. */
  path: string;
  size_bytes: number;
  /** `sha256:<hex>` */
  checksum: string;
  format: Format;
  /** Of CSV alone: whether there is a row below the header (R-RUN-08). */
  csv_rows?: boolean;
}

/**
 * Stores content in constant memory, whole or not at all. `{ path }` is a file that lies in the
 * folder already: it is measured where it lies.
 *
 * @throws ControlError `invalid_reference` for a bad name or path, `internal` when the disk
 * refuses, `aborted`; or whatever the source threw
 */
export async function store(content: Content, options: StoreOptions): Promise<StoredPayload> {
  if (!(content instanceof Readable)) return storeContent(content, options);
  // It may fail before its first byte is asked for; the error waits in the stream until then.
  content.on("error", () => {});
  try {
    return await storeContent(content, options);
  } catch (error) {
    content.destroy();
    throw error;
  }
}

async function storeContent(content: Content, options: StoreOptions): Promise<StoredPayload> {
  const { folder, format, signal } = options;
  if (!isFormat(format)) throw new TypeError(`Expected a format of R-REF-10, got ${JSON.stringify(format)}`);
  if (isWrittenFile(content)) return measure(content.path, options);
  const name = options.name ?? `output.${format}`;
  assertFileName(name);
  assertWanted("Writing the payload", signal);
  const digest = createDigest(format);
  const path = await writeFileAtomically(content, {
    folder: resolve(folder),
    name,
    watch: digest.update,
    signal,
  });
  return { path, format, ...digest.result() };
}

async function measure(given: string, { folder, format, signal }: StoreOptions): Promise<StoredPayload> {
  const path = resolve(folder, given);
  const realFolder = await realpath(folder).catch((error: unknown) => {
    throw toUnreadable(folder, error);
  });
  if (!isInside(resolve(folder), path) && !isInside(realFolder, path)) throw elsewhere(path, folder);
  const { handle } = await openFile(path, [realFolder]);
  const digest = createDigest(format);
  try {
    for await (const bytes of handle.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })) {
      if (signal?.aborted) throw givenUp("Reading the payload", signal);
      digest.update(bytes as Buffer);
    }
  } finally {
    await handle.close();
  }
  return { path, format, ...digest.result() };
}

function elsewhere(path: string, folder: string): ControlError {
  return new ControlError(
    "invalid_reference",
    `Expected the file of a result to lie in its task's folder ${folder}, found ${path}; write it there, or pass a stream of it`,
  );
}
