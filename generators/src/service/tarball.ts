import { gzipSync } from "node:zlib";
import { createTar } from "nanotar";

/** Files as a `.tgz` that is the same for the same files: sorted, without times and owners. */
export function toTarball(
  files: readonly { path: string; content: Uint8Array; executable: boolean }[],
): Buffer {
  const entries = [...files]
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .map(({ path, content, executable }) => ({
      name: path,
      data: new Uint8Array(content),
      attrs: { mode: executable ? "755" : "644", mtime: 0, uid: 0, gid: 0, user: "", group: "" },
    }));
  const bytes = gzipSync(createTar(entries), { level: 9 });
  // The system that packed it stands in the header of a gzip file: 255 is "unknown".
  bytes[9] = 255;
  return bytes;
}
