import { StringDecoder } from "node:string_decoder";
import { dataFault } from "./fault.ts";

/** Bytes or text in pieces, e.g. a stream. */
export type Source = AsyncIterable<Uint8Array | string>;

/** Batches of this many bytes die young; with larger ones a service is slower and takes more memory. */
const piece_bytes = 2 ** 15;
/** As much of a file's beginning shows how it is encoded. */
const head_bytes = 64;

/**
 * The text of a CSV in short pieces, without its byte order mark.
 *
 * @throws ControlError when there is nothing, when it is UTF-16, and when it is no text at all
 */
export async function* decode(source: Source): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let first = true;
  let read = 0;
  for await (const piece of withHead(source)) {
    if (read === 0 && isUtf16(piece.subarray(0, head_bytes))) {
      throw dataFault('Expected a CSV in UTF-8, found UTF-16: save it as "CSV UTF-8"');
    }
    const nul = piece.indexOf(0);
    if (nul >= 0) {
      throw dataFault(`Expected a CSV, found a NUL character at byte ${read + nul}: this is no text file`);
    }
    read += piece.length;
    for (let start = 0; start < piece.length; start += piece_bytes) {
      const text = decoder.write(piece.subarray(start, start + piece_bytes));
      if (text === "") continue;
      yield first && text.startsWith("\ufeff") ? text.slice(1) : text;
      first = false;
    }
  }
  const end = decoder.end();
  if (end !== "") yield end;
  if (first) throw dataFault("Expected a CSV with a header and at least one row, found nothing");
}

/** The same bytes; the first piece has the whole head, however they came. */
async function* withHead(source: Source): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of source) {
    const bytes =
      typeof piece === "string"
        ? Buffer.from(piece)
        : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    if (head === undefined) {
      yield bytes;
      continue;
    }
    head = head.length === 0 ? bytes : Buffer.concat([head, bytes]);
    if (head.length < head_bytes) continue;
    yield head;
    head = undefined;
  }
  if (head !== undefined && head.length > 0) yield head;
}

/** Tells by the byte order mark, or by every other byte being NUL, as in a header of plain letters. */
function isUtf16(head: Buffer): boolean {
  if (head.length < 2) return false;
  const mark = head.readUInt16BE(0);
  if (mark === 0xfffe || mark === 0xfeff) return true;
  const nuls = (offset: number) => head.filter((byte, index) => index % 2 === offset && byte === 0).length;
  const pairs = Math.floor(head.length / 2);
  return (nuls(0) === pairs && nuls(1) === 0) || (nuls(1) === pairs && nuls(0) === 0);
}
