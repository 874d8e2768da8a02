import { basename, isAbsolute, resolve } from "node:path";
import { ScaffoldError, toSafePath } from "@aieffect/generators";

/**
 * The folder that is meant. It may be anywhere, but `..` may only stand at its beginning.
 * @throws ScaffoldError AE1205 for one that cannot be a folder on every system
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
  const [up = ""] = /^(?:\.\.(?:\/|$))*/.exec(relative) ?? [];
  const below = relative.slice(up.length);
  if (below === "" || below === ".") return resolve(cwd, up);
  try {
    toSafePath(below);
  } catch (cause) {
    if (!(cause instanceof ScaffoldError)) throw cause;
    throw new ScaffoldError("AE1205", {
      where: cause.where ?? dir,
      message: cause.message.replace(
        "a path inside the target folder",
        "a folder that every system can have",
      ),
      cause,
    });
  }
  return resolve(cwd, relative);
}
