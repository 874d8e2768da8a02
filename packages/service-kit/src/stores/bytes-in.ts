import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The bytes of the files of a task that was lost, which nobody counted. What cannot be looked into,
 * as on the disk of another machine, counts nothing.
 */
export function bytesIn(folder: string | undefined): number {
  if (folder === undefined) return 0;
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files.reduce((bytes, { parentPath, name }) => bytes + lstatSync(join(parentPath, name)).size, 0);
  } catch {
    return 0;
  }
}
