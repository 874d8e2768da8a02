import { join } from "node:path";
import { ScaffoldError } from "../errors.ts";
import { isDevice, shown } from "../names.ts";
import { statOf } from "./stat-of.ts";

/** Characters that no file system of the three takes in a name, or that mean something else there. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
const forbidden = /[\u0000-\u001f\u007f<>:"|?*\\]/;

/**
 * A path inside the target, with `/` between its parts: as it was given, if it is safe on every
 * system.
 * @throws ScaffoldError AE1205 for what is absolute, leaves the target, or cannot be a file everywhere
 */
export function toSafePath(path: string): string {
  const segments = path.split("/");
  const problem = segments.map(problemOf).find((one) => one !== undefined);
  if (problem !== undefined) {
    throw new ScaffoldError("AE1205", {
      where: shown(path),
      message: `Expected a path inside the target folder, found ${problem}`,
    });
  }
  return path;
}

function problemOf(segment: string): string | undefined {
  if (segment === "") return "an empty part, or an absolute path";
  if (segment === "." || segment === "..") return `"${segment}"`;
  if (forbidden.test(segment)) return "a character that not every file system takes";
  if (/[. ]$/.test(segment)) return "a part that ends with a dot or space";
  if (isDevice(segment)) return "a device of Windows";
  if (Buffer.byteLength(segment) > 255) return "a part of more than 255 bytes";
  return segment.toLowerCase() === ".git" ? "git's own folder" : undefined;
}

/**
 * Nothing on the way to this path is a link, which could lead out of the target.
 * @throws ScaffoldError AE1205
 */
export function assertNoLinkOnTheWay(root: string, path: string): void {
  const segments = path.split("/");
  for (const [index] of segments.entries()) {
    const part = segments.slice(0, index + 1).join("/");
    const stats = statOf(join(root, part));
    if (stats === undefined) return;
    if (stats.isSymbolicLink()) {
      throw new ScaffoldError("AE1205", {
        where: path,
        message: `Expected files and folders only, found the link ${part}, which may lead out of the target`,
        tries: ["replace the link with what it leads to"],
      });
    }
  }
}
