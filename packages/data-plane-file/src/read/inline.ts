import { Readable } from "node:stream";

const piece = 64 * 1024;

/** Streams the payload of an inline uri that was checked already (R-REF-04). */
export function openInline(uri: string): Readable {
  const bytes = Buffer.from(uri, "base64");
  return Readable.from(pieces(bytes), { objectMode: false });
}

/** In pieces, so that a slow reader holds back here as well. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}
