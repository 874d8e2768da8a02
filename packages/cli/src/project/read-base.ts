import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { parseTar } from "nanotar";

/** The managed files of a project as they were created: what a later version is merged over. */
export async function readBase(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const bytes = await promisify(gunzip)(await readFile(join(folder, baseFile)));
  return new Map(parseTar(bytes).map(({ name, data }) => [name, Buffer.from(data ?? [])]));
}

/** Where they are kept. */
export const baseFile = ".aieffect/base.tgz";
