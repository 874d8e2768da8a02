import { basename, isAbsolute, resolve } from "node:path";
import { ScaffoldError, toSafePath } from "@aieffect/generators";

/**
 * The folder that is meant. A relative one has to be below where the user is.
 * @throws ScaffoldError AE1205 for one that leads elsewhere, or cannot be a folder on every system
 */
export function resolveTarget(dir: string, cwd: string): string {
  if (isAbsolute(dir)) {
    toSafePath(basename(dir));
    return resolve(dir);
  }
  const relative = dir
    .replaceAll("\\", "/")
    .replace(/^(?:\.\/)+/, "")
    .replace(/\/+$/, "");
  if (relative === "" || relative === ".") return resolve(cwd);
  try {
    toSafePath(relative);
  } catch (cause) {
    if (!(cause instanceof ScaffoldError)) throw cause;
    throw new ScaffoldError("AE1205", {
      where: cause.where ?? dir,
      message: cause.message.replace("the target folder", "this folder"),
      tries: ["a name below this folder", "an absolute path"],
      cause,
    });
  }
  return resolve(cwd, relative);
}
