/** A varint of a message's length is no longer. */
const maxPrefix = 5;

/** A message behind its length, as a varint. */
export function delimit(message: Uint8Array): Buffer {
  const prefix: number[] = [];
  let left = message.length;
  for (; left > 0x7f; left = Math.floor(left / 128)) prefix.push((left & 0x7f) | 0x80);
  prefix.push(left);
  const delimited = Buffer.allocUnsafe(prefix.length + message.length);
  delimited.set(prefix);
  delimited.set(message, prefix.length);
  return delimited;
}

/** Takes messages out of bytes as they come; holds no more than the message that it waits for. */
export class MessageSplitter {
  readonly #max_bytes: number;
  #parts: Buffer[] = [];
  #held = 0;
  /** Nothing can be taken out before so many bytes are held. */
  #needed = 1;

  /** @param max_bytes refuse a larger message */
  constructor(max_bytes: number) {
    this.#max_bytes = max_bytes;
  }

  /** The messages that are whole with these bytes. @throws RangeError for one that is too large, or bytes that are none */
  *push(bytes: Buffer): Generator<Buffer, void, undefined> {
    this.#parts.push(bytes);
    this.#held += bytes.length;
    if (this.#held < this.#needed) return;
    const all = this.#parts.length === 1 ? bytes : Buffer.concat(this.#parts);
    let at = 0;
    for (;;) {
      const prefix = readPrefix(all, at);
      if (prefix === undefined) {
        this.#needed = all.length - at + 1;
        break;
      }
      const { length, behind } = prefix;
      if (length > this.#max_bytes) {
        throw new RangeError(`Expected messages of at most ${this.#max_bytes} bytes, found one of ${length}`);
      }
      if (behind + length > all.length) {
        this.#needed = behind - at + length;
        break;
      }
      at = behind + length;
      yield all.subarray(behind, at);
    }
    this.#parts = at === all.length ? [] : [all.subarray(at)];
    this.#held = all.length - at;
  }

  /** There is no more. @throws RangeError when a message is not whole */
  end(): void {
    if (this.#held > 0) throw new RangeError("Expected whole messages, found that the last one is cut");
  }
}

function readPrefix(bytes: Buffer, at: number): { length: number; behind: number } | undefined {
  let length = 0;
  for (let index = 0; index < maxPrefix; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return { length, behind: at + index + 1 };
  }
  throw new RangeError("Expected the length of a message, found bytes that are none");
}
