import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** The operations that the sources of a project declare. */
export async function operationsIn(folder: string): Promise<string[]> {
  const sources = join(folder, "src", "operations");
  const files = (await readdir(sources).catch(() => [])).filter((name) => /(?<!\.test)\.ts$/.test(name));
  const texts = await Promise.all(files.map((name) => readFile(join(sources, name), "utf8")));
  return texts
    .flatMap((text) =>
      [...text.matchAll(/defineOperation\(\{\s*name:\s*"([^"]+)"/g)].map(([, name = ""]) => name),
    )
    .sort();
}
