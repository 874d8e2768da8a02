import { Readable } from "node:stream";
import { assertWanted, givenUp } from "../read/failures.ts";

/** Content that comes in pieces, or whole. Text is written in UTF-8. */
export type StreamContent =
  | string
  | Uint8Array
  | Readable
  | AsyncIterable<string | Uint8Array>
  | Iterable<string | Uint8Array>;

/** What can be stored: content, or a file that was already written inside the folder. */
export type Content = StreamContent | { path: string };

/** In the error of a caller that gave up. */
export const whatIsWritten = "Writing the payload";

/** Whether this is a file written already. A Readable of a file has a `path` as well, and is none. */
export function isWrittenFile(content: Content): content is { path: string } {
  return (
    typeof content === "object" &&
    !(Symbol.iterator in content) &&
    !(Symbol.asyncIterator in content) &&
    typeof (content as { path?: unknown }).path === "string"
  );
}

/**
 * Hands content over piece by piece; the next one is asked for when `take` is done with the last.
 * Ends a source that is not read to its end: streams are destroyed, generators returned.
 */
export async function eachPiece(
  content: StreamContent,
  signal: AbortSignal | undefined,
  take: (bytes: Uint8Array) => Promise<void> | undefined,
): Promise<void> {
  const what = whatIsWritten;
  if (typeof content === "string" || content instanceof Uint8Array) {
    assertWanted(what, signal);
    return take(Buffer.from(content as Uint8Array));
  }
  const waits = Symbol.asyncIterator in Object(content);
  const iterator = toIterator(content);
  const encoder = createEncoder();
  let ended = false;
  let giveUp: ((reason: Error) => void) | undefined;
  const onAbort = () => giveUp?.(givenUp(what, signal as AbortSignal));
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    while (!ended) {
      assertWanted(what, signal);
      const next = iterator.next();
      // Only what has to be waited for is: a generator may yield millions of short lines.
      const { done, value } = waits ? await orGivenUp(next) : (next as IteratorResult<unknown>);
      ended = done === true;
      const bytes = done ? encoder.rest() : encoder.encode(value);
      const taken = bytes.length > 0 ? take(bytes) : undefined;
      if (taken !== undefined) await taken;
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    if (!ended) release(content, iterator);
  }

  /** A promise of its own for every piece: racing against one that lives on would keep them all. */
  function orGivenUp<T>(next: T | PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      giveUp = reject;
      Promise.resolve(next).then(resolve, reject);
    });
  }
}

type Pieces = Iterator<string | Uint8Array> | AsyncIterator<string | Uint8Array>;

function toIterator(content: Exclude<StreamContent, string | Uint8Array>): Pieces {
  if (typeof content === "object" && content !== null) {
    if (Symbol.asyncIterator in content) return content[Symbol.asyncIterator]();
    if (Symbol.iterator in content) return content[Symbol.iterator]();
  }
  throw new TypeError(
    `Expected content to be text, bytes, a stream, an iterable of text or bytes, or { path }, got ${typeof content}`,
  );
}

function release(content: StreamContent, iterator: Pieces): void {
  if (content instanceof Readable) {
    content.destroy();
    return;
  }
  // Not waited for: a generator that hangs would never come back. What it throws while it cleans
  // up is second to the error that brought us here.
  Promise.resolve()
    .then(() => iterator.return?.())
    .catch(() => {});
}

/** Turns text into bytes, also where a piece ends between the two halves of a character. */
function createEncoder() {
  let half = "";
  return {
    encode(piece: unknown): Uint8Array {
      if (piece instanceof Uint8Array) return half === "" ? piece : Buffer.concat([this.rest(), piece]);
      if (typeof piece !== "string") {
        throw new TypeError(
          `Expected every piece of content to be text or bytes, got ${piece === null ? "null" : typeof piece}`,
        );
      }
      const text = half + piece;
      half = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : "";
      return Buffer.from(half === "" ? text : text.slice(0, -1));
    },
    rest(): Uint8Array {
      const bytes = Buffer.from(half);
      half = "";
      return bytes;
    },
  };
}
