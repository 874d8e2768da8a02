import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { parseTar } from "nanotar";
import { CliError } from "../errors/cli-error.ts";

/** The managed files of a project as they were created: what a later version is merged over. @throws CliError where it cannot be read */
export async function readBase(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  try {
    const bytes = await promisify(gunzip)(await readFile(join(folder, baseFile)));
    return new Map(parseTar(bytes).map(({ name, data }) => [name, Buffer.from(data ?? [])]));
  } catch (cause) {
    throw new CliError(
      "manifest-invalid",
      `Expected ${baseFile} to be readable, found: ${(cause as Error).message}`,
      { fixes: ["take .aieffect/ back from version control"], cause },
    );
  }
}

/** Where they are kept. */
export const baseFile = ".aieffect/base.tgz";
