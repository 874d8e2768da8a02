import { mkdir, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ProblemsError } from "../problems/problem.ts";
import { removeAtExit } from "../write/at-exit.ts";
import type { UseCaseFiles } from "./plan-import.ts";

/**
 * Writes an imported use case into a new folder, whole or not at all. It never replaces anything: a
 * use case has sources in it that no package brings back.
 *
 * @returns absolute paths of the files
 * @throws ProblemsError `exists` where the folder has something in it
 */
export async function writeUseCase(files: UseCaseFiles, folder: string): Promise<string[]> {
  const target = resolve(folder);
  const found = await readdir(target).catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? undefined : ["a file"],
  );
  if (found !== undefined && found.length > 0) {
    throw new ProblemsError([
      {
        code: "exists",
        severity: "error",
        file: target,
        line: undefined,
        message: `Expected a new folder for the use case, found ${found.slice(0, 5).join(", ")} there`,
        fix: "Choose another folder with --output",
      },
    ]);
  }
  const fresh = join(
    dirname(target),
    `.${basename(target)}.import-${process.pid}-${Date.now().toString(36)}`,
  );
  const keep = removeAtExit(fresh);
  try {
    for (const [path, text] of files) {
      await mkdir(dirname(join(fresh, path)), { recursive: true });
      await writeFile(join(fresh, path), text);
    }
    if (found !== undefined) await rmdir(target);
    await rename(fresh, target);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    keep();
  }
  return [...files.keys()].sort().map((path) => join(target, path));
}
