import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { ControlError } from "@aieffect/control-interface";
import { toUnreadable } from "./failures.ts";

/** A regular file inside the roots, open for reading; whoever has it closes it. */
export interface OpenedFile {
  handle: FileHandle;
  /** Without symbolic links. */
  path: string;
  size_bytes: number;
}

/**
 * Opens what a `file` uri names (R-REF-18): a path, or a `file://` URL; a relative path begins at
 * the first root. What it leads to, links followed, has to lie inside one of the roots.
 *
 * @throws ControlError `invalid_reference` for a uri that is no path, `unreadable_reference` for
 * a file that is missing, not regular, or outside the roots
 */
export async function openFile(uri: string, roots: readonly string[]): Promise<OpenedFile> {
  const asked = resolve(roots[0] ?? ".", toPath(uri));
  const realRoots = await Promise.all(roots.map(realOrSelf));
  const path = await realpath(asked).catch((error: unknown) => {
    // Outside the roots nobody learns what exists.
    if (![...roots, ...realRoots].some((root) => isInside(root, asked))) throw outside(asked, roots);
    throw toUnreadable(asked, error);
  });
  if (!realRoots.some((root) => isInside(root, path))) throw outside(asked, roots);
  const handle = await openHandle(path);
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, path, size_bytes: stats.size };
  await handle.close();
  const found = stats.isDirectory() ? "a folder" : "neither file nor folder";
  throw new ControlError(
    "unreadable_reference",
    `Expected ${asked} to be a regular file, found ${found}; name the file itself`,
  );
}

/** Whether a path is `root` or below it; by the names alone. */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** The path without symbolic links; of one that does not exist, the path as it is. */
async function realOrSelf(path: string): Promise<string> {
  return realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return path;
    throw toUnreadable(path, error);
  });
}

function toPath(uri: string): string {
  try {
    const path = /^file:/i.test(uri) ? fileURLToPath(new URL(uri)) : uri;
    if (!path.includes("\0")) return path;
  } catch (error) {
    const message = `Expected a path or file:///path (R-REF-18), found ${JSON.stringify(uri)}: ${(error as Error).message}`;
    throw new ControlError("invalid_reference", message, { cause: error });
  }
  throw new ControlError(
    "invalid_reference",
    `Expected a path (R-REF-18), found one with a NUL character: ${JSON.stringify(uri)}`,
  );
}

async function openHandle(path: string): Promise<FileHandle> {
  // Not following a link that took the file's place since, nor waiting for the writer of a FIFO.
  // Windows has neither flag.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  return open(path, flags).catch((error: unknown) => {
    throw toUnreadable(path, error);
  });
}

function outside(path: string, roots: readonly string[]): ControlError {
  return new ControlError(
    "unreadable_reference",
    `Refused to read ${path}: files are read from ${roots.join(", ")} only; put the file there, or add its folder with the option \`roots\` (DATA_ROOTS of a service)`,
  );
}
