import { createReadStream } from "node:fs";
import { delimit, MessageSplitter } from "./delimited.ts";
import { JoinedBytes } from "./joined-bytes.ts";

/** Messages that are small are written together, in pieces of about so many bytes. */
const pieceBytes = 64 * 1024;

/** What a file of messages turned out to be. */
export interface Written {
  messages: number;
  /** Of all messages together, without their lengths: the size of the one that they are pieces of. */
  message_bytes: number;
  /** Of the largest one. */
  largest_bytes: number;
}

/** The content of a result's file; `written` is right once it has been taken to its end. */
export async function* encodeMessages<Response>(
  serialize: (message: Response) => Uint8Array,
  messages: Iterable<Response> | AsyncIterable<Response>,
  written: Written,
): AsyncGenerator<Buffer, void, undefined> {
  let pieces: Buffer[] = [];
  let held = 0;
  for await (const message of messages) {
    const bytes = serialize(message);
    written.messages++;
    written.message_bytes += bytes.length;
    written.largest_bytes = Math.max(written.largest_bytes, bytes.length);
    const delimited = delimit(bytes);
    pieces.push(delimited);
    held += delimited.length;
    if (held < pieceBytes) continue;
    yield pieces.length === 1 ? delimited : Buffer.concat(pieces);
    pieces = [];
    held = 0;
  }
  if (held > 0) yield Buffer.concat(pieces);
}

/** The messages in a file, one after the other. @throws RangeError when one is larger than `max_bytes` */
export async function* readMessages(
  path: string,
  max_bytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  const splitter = new MessageSplitter(max_bytes);
  for await (const bytes of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    yield* splitter.push(bytes as Buffer);
  }
  splitter.end();
}

/** The message that those in a file are pieces of: one behind the other they are it. */
export async function readMerged(path: string): Promise<Buffer> {
  const joined = new JoinedBytes();
  for await (const message of readMessages(path, Number.MAX_SAFE_INTEGER)) joined.add(message);
  return joined.take();
}

/** What the messages in a file come to, without their lengths; found out by reading it. */
export async function measureMessages(path: string): Promise<number> {
  let message_bytes = 0;
  for await (const { length } of readMessages(path, Number.MAX_SAFE_INTEGER)) message_bytes += length;
  return message_bytes;
}
