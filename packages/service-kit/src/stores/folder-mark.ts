import { lstatSync } from "node:fs";

/**
 * Tells a folder from another one that has its name later; undefined where there is none. Where the
 * file system keeps no time of birth the mark may change, and the folder then counts as another one.
 */
export function markOf(folder: string): string | undefined {
  const found = lstatSync(folder, { bigint: true, throwIfNoEntry: false });
  return found?.isDirectory() ? `${found.ino}:${found.birthtimeNs}` : undefined;
}
