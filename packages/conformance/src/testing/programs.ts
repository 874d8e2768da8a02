import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a program is on the path; of several names the first that is there. For `needs(name, findProgram(name))`. */
export function findProgram(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((file) => existsSync(file));
}

/** A browser of the Chromium family, under the names that systems give it. */
export function findBrowser(): string | undefined {
  return findProgram("chromium", "chromium-browser", "google-chrome");
}
