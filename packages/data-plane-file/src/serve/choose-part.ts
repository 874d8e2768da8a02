import type { IncomingHttpHeaders } from "node:http";
import parseRange from "range-parser";

/** Bytes of a payload: from `start` on, `end` not included. */
export interface Part {
  start: number;
  end: number;
}

/** What a call is answered with: a part, all, 416, or 304. */
export type Chosen = Part | "whole" | "unsatisfiable" | "unchanged";

/** What a call's conditions and its range ask for (R-DATA-05, R-DATA-06; RFC 9110, section 13.2.2). */
export function choosePart(headers: IncomingHttpHeaders, size: number, etag: string): Chosen {
  if (isKnown(headers["if-none-match"], etag)) return "unchanged";
  const { range } = headers;
  // A date is no proof that the bytes are the same, so that none ever is ours.
  const ifRange = headers["if-range"] as string | undefined;
  if (range === undefined || (ifRange !== undefined && ifRange.trim() !== etag)) return "whole";
  // Several ranges, another unit, or no range at all.
  const asked = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(range);
  if (asked === null) return "whole";
  const [, first = "", last = ""] = asked;
  // A suffix may be longer than the payload, and a range that ends before it begins is none; the parser has both wrong.
  if (first === "" && size > 0 && Number(last) > size) return { start: 0, end: size };
  if (first !== "" && last !== "" && Number(last) < Number(first)) return "whole";
  const ranges = parseRange(size, range);
  if (ranges === -1) return "unsatisfiable";
  const [part] = ranges === -2 ? [] : ranges;
  return part === undefined ? "whole" : { start: part.start, end: part.end + 1 };
}

/** `If-None-Match` compares weakly: what is meant is only whether to send the payload again. */
function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === "*" || [...header.matchAll(/"[^"]*"/g)].some(([tag]) => tag === etag);
}
