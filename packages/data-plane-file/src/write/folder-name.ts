import { createHash } from "node:crypto";
import { isWindowsTrap } from "./portable-name.ts";

const hashLength = 12;

/**
 * The folder that an untrusted id gets: the id itself where it is plain, else what is readable of
 * it, `_` and 12 hex digits of its SHA-256. No two ids share a name: a plain one that ends as the
 * others do is not taken as it is. No name has a `~` in it.
 */
export function toFolderName(id: string): string {
  return isPlain(id) ? id : `${toReadable(id)}_${toHash(id)}`;
}

function isPlain(id: string): boolean {
  return /^[\w-][\w.-]{0,99}$/.test(id) && !isWindowsTrap(id) && !/_[0-9a-f]{12}$/.test(id);
}

/** Without dots, or `con.x` would go on being a device of Windows. */
function toReadable(id: string): string {
  return id.slice(0, 40).replace(/[^\w-]/g, "_");
}

function toHash(id: string): string {
  // UTF-16, because in UTF-8 all lone surrogates become the same character.
  return createHash("sha256").update(id, "utf16le").digest("hex").slice(0, hashLength);
}
