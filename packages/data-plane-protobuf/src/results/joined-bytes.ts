/** What is shorter takes more memory by itself than its bytes do. */
const smallBytes = 4 * 1024;

/** So many small ones are put together at once. */
const maxSmall = 1024;

/** Bytes that come in parts, to be had as one; many small parts take little more memory than their bytes. */
export class JoinedBytes {
  #parts: Buffer[] = [];
  /** The last so many parts are small. */
  #small = 0;

  add(part: Buffer): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    if (part.length >= smallBytes) this.#small = 0;
    else if (++this.#small === maxSmall) {
      this.#parts.push(Buffer.concat(this.#parts.splice(-maxSmall)));
      this.#small = 0;
    }
  }

  /** All of them, one behind the other; it begins anew with none. */
  take(): Buffer {
    const parts = this.#parts;
    this.#parts = [];
    this.#small = 0;
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }
}
