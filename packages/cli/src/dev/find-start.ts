import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { CliError } from "../errors/cli-error.ts";

/** The line of shell that starts the service of a folder: its package's `start`. @throws CliError saying what else to do */
export async function findStart(folder: string): Promise<string> {
  const file = join(folder, "package.json");
  const start = existsSync(file) ? startOf(await readFile(file, "utf8"), file) : undefined;
  if (start !== undefined) return start;
  throw new CliError("nothing-to-start", `Expected ${file} with a script "start", found none`, {
    state: "nothing was started",
    fixes: ["the folder of a service", "--command 'uvicorn app:app --port $PORT'"],
  });
}

function startOf(text: string, file: string): string | undefined {
  try {
    const { scripts } = JSON.parse(text) as { scripts?: { start?: unknown } };
    return typeof scripts?.start === "string" ? scripts.start : undefined;
  } catch (cause) {
    throw new CliError("manifest-invalid", `Expected JSON in ${file}. ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** The nearest folder with a package.json, above or here; here where there is none. */
export function packageAround(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, "package.json"))) return at;
    if (dirname(at) === at) return folder;
  }
}

/** PATH as package managers set it for scripts: the programs of the folder's packages first. */
export function pathFor(folder: string, path = ""): string {
  const bins: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    bins.push(join(at, "node_modules", ".bin"));
    if (dirname(at) === at) break;
  }
  return [...bins, path].join(delimiter);
}
