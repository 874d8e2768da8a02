import { chmod, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UsageError } from "./usage-error.ts";

/** How a file is written. */
interface OutputOptions {
  overwrite?: boolean;
  executable?: boolean;
}

/** Writes a file whole or not at all, or to standard output where there is no path. */
export async function writeOutput(
  path: string | undefined,
  text: string,
  { overwrite = false, executable = false }: OutputOptions = {},
): Promise<void> {
  if (path === undefined) {
    process.stdout.write(text);
    return;
  }
  if (!overwrite) {
    const there = await open(path).catch(() => undefined);
    await there?.close();
    if (there !== undefined)
      throw new UsageError(`Expected ${path} to be new, it is there already; replace it with --overwrite`);
  }
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (executable) await chmod(temporary, 0o755);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new Error(`Could not write ${path}: ${(cause as Error).message}`, { cause });
  }
  process.stderr.write(`${path}\n`);
}
