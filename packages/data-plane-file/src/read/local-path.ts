import { randomUUID } from "node:crypto";
import { finished } from "node:stream/promises";
import type { DataReference } from "@aieffect/control-interface";
import { writeFileAtomically } from "../write/write-file.ts";
import { assertWanted } from "./failures.ts";
import type { FetchOptions } from "./fetch.ts";
import { openFile } from "./file.ts";
import { assertReadable, openReference, type Sources } from "./open.ts";
import { readWhole } from "./read-whole.ts";

/** What a payload on disk is asked for with. */
export interface LocalPathOptions extends FetchOptions {
  /**
   * Compare the file of a `file` reference with its size and checksum; for the checksum the file is
   * read once. A copy is always verified.
   * @default true
   */
  verify?: boolean | undefined;
}

/** The path of a local file with the payload: of a `file` reference the file itself, else a copy in `folder`. */
export async function toLocalPath(
  reference: DataReference,
  folder: string,
  sources: Sources,
  options: LocalPathOptions,
): Promise<string> {
  assertReadable(reference);
  if (reference.protocol === "file") return toOwnPath(reference, sources, options);
  // Two inputs of one task may both be called anything; their copies never meet.
  const name = `input-${randomUUID()}.${reference.format}`;
  const target = { folder, name, signal: options.signal };
  return readWhole(reference, sources, options, (payload) => writeFileAtomically(payload, target));
}

async function toOwnPath(
  reference: DataReference,
  sources: Sources,
  options: LocalPathOptions,
): Promise<string> {
  assertWanted(`Reading ${reference.uri}`, options.signal);
  const { handle, path, size_bytes } = await openFile(reference.uri, sources.roots);
  await handle.close();
  const sizeIsRight = (reference.size_bytes ?? size_bytes) === size_bytes;
  if (options.verify === false || (sizeIsRight && reference.checksum == null)) return path;
  const payload = await openReference(reference, sources, options);
  await finished(payload.resume());
  return path;
}
