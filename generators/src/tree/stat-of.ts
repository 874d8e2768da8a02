import { lstatSync, type Stats } from "node:fs";

/** What is at a path, links not followed; undefined where nothing is, or where it leads through a file. */
export function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}
