import { toFolderName } from "../write/folder-name.ts";
import { assertFileName } from "../write/portable-name.ts";

/**
 * The key of a published payload: `<prefix><id>/<id>/.../<name>`. Ids and name may be any text that
 * is not plain: every S3 tool takes what comes out of it, and no two of them share a key.
 *
 * @throws ControlError `invalid_reference` for a name that is no file's
 */
export function toObjectKey(prefix: string, ids: readonly string[], name: string): string {
  assertFileName(name);
  const extension = /\.[A-Za-z0-9]{1,16}$/.exec(name)?.[0] ?? "";
  const stem = name.slice(0, name.length - extension.length);
  return `${prefix}${[...ids, stem].map(toFolderName).join("/")}${extension}`;
}
