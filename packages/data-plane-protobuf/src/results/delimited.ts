import { JoinedBytes } from "./joined-bytes.ts";

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
  /** The beginning of a message that is not whole. */
  readonly #parts = new JoinedBytes();
  #held = 0;
  /** Nothing can be taken out before so many bytes are held. */
  #needed = 1;

  /** @param max_bytes refuse a larger message */
  constructor(max_bytes: number) {
    this.#max_bytes = max_bytes;
  }

  /** The messages that are whole with these bytes. @throws RangeError for one that is too large, or bytes that are none */
  *push(bytes: Buffer): Generator<Buffer, void, undefined> {
    let at = 0;
    while (at < bytes.length) {
      const lacking = this.#needed - this.#held;
      if (bytes.length - at < lacking) return this.#hold(bytes.subarray(at));
      // Nothing is copied but what lies in two pieces.
      const whole = this.#held === 0 ? bytes.subarray(at) : this.#join(bytes.subarray(at, at + lacking));
      const prefix = readPrefix(whole);
      if (prefix !== undefined && prefix.length > this.#max_bytes) {
        throw new RangeError(
          `Expected messages of at most ${this.#max_bytes} bytes, found one of ${prefix.length}`,
        );
      }
      const end = prefix === undefined ? whole.length + 1 : prefix.behind + prefix.length;
      if (end <= whole.length) {
        yield whole.subarray(prefix?.behind, end);
        at += this.#held === 0 ? end : lacking;
        this.#clear();
        continue;
      }
      at = this.#held === 0 ? bytes.length : at + lacking;
      this.#clear();
      this.#hold(whole);
      this.#needed = end;
    }
  }

  /** There is no more. @throws RangeError when a message is not whole */
  end(): void {
    if (this.#held > 0) throw new RangeError("Expected whole messages, found that the last one is cut");
  }

  #hold(bytes: Buffer): void {
    this.#parts.add(bytes);
    this.#held += bytes.length;
  }

  #join(bytes: Buffer): Buffer {
    this.#parts.add(bytes);
    return this.#parts.take();
  }

  #clear(): void {
    this.#held = 0;
    this.#needed = 1;
  }
}

function readPrefix(bytes: Buffer): { length: number; behind: number } | undefined {
  let length = 0;
  for (let index = 0; index < maxPrefix; index++) {
    const byte = bytes[index];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return { length, behind: index + 1 };
  }
  throw new RangeError("Expected the length of a message, found bytes that are none");
}
