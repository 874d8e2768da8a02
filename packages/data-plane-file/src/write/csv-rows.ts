import { createReadStream } from "node:fs";
import { toUnreadable } from "../read/failures.ts";

/** Watches a CSV pass by. */
export interface CsvRowWatcher {
  /** Takes the next bytes; pieces may end anywhere. */
  push(bytes: Uint8Array): void;
  /** Whether a row below the header was seen. */
  readonly seen: boolean;
}

const [lf, cr, quote] = [0x0a, 0x0d, 0x22];
const blank = new Set([lf, cr, 0x20, 0x09]);
const delimiters = new Set([..."\t,;|"].map((character) => character.charCodeAt(0)));
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * Whether a CSV has a row below its header, its first line that is not blank (R-RUN-08). Reads
 * only as far as it has to; a stream is destroyed after that.
 *
 * @param csv the path of a local file, or the content in UTF-8
 */
export async function hasCsvRows(
  csv: string | AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<boolean> {
  const watcher = createCsvRowWatcher();
  try {
    for await (const bytes of typeof csv === "string" ? createReadStream(csv) : csv) {
      watcher.push(bytes);
      if (watcher.seen) break;
    }
  } catch (error) {
    throw toUnreadable(typeof csv === "string" ? csv : "the CSV", error);
  }
  return watcher.seen;
}

/**
 * Looks for anything but blanks after the line break that ends the header. A line break inside a
 * quoted cell does not end it; a quote opens a cell only at the cell's beginning, as in `5" pipe`.
 */
export function createCsvRowWatcher(): CsvRowWatcher {
  type State = "before" | "cell start" | "in cell" | "in quotes" | "quote in quotes" | "below";
  let state: State = "before";
  let at = 0;
  let seen = false;

  function inHeader(byte: number): State {
    if (byte === lf || byte === cr) return "below";
    if (byte === quote && state === "cell start") return "in quotes";
    return delimiters.has(byte) ? "cell start" : "in cell";
  }

  function step(byte: number): void {
    if (state === "below") seen = !blank.has(byte);
    else if (state === "in quotes") state = byte === quote ? "quote in quotes" : state;
    else if (state === "quote in quotes") state = byte === quote ? "in quotes" : inHeader(byte);
    else if (state !== "before") state = inHeader(byte);
    else if (!blank.has(byte) && byte !== byteOrderMark[at]) {
      state = "cell start";
      state = inHeader(byte);
    }
    at++;
  }

  return {
    push(bytes) {
      for (let index = 0; !seen && index < bytes.length; index++) step(bytes[index] as number);
    },
    get seen() {
      return seen;
    },
  };
}
