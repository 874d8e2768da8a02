import type { IncomingMessage } from "node:http";

/** What the heads of a peer's answers tell of one payload. */
export interface Known {
  /** Size of the whole payload, in bytes. */
  total: number | undefined;
  /** A strong ETag: the bytes differ whenever it does (RFC 9110, section 8.8.1). */
  etag: string | undefined;
  /** The peer has byte ranges. */
  ranges: boolean;
}

/** The head of one answer. */
export interface Head extends Known {
  status: number;
  /** Of a 206: the first byte in it. */
  start: number | undefined;
  /** Of a 206: one more than the last byte in it. */
  end: number | undefined;
}

/** How an answer goes on with what is there already. */
export type Continuation =
  /** After `skip` bytes of it; where `compare` is set they have to be looked at. */
  | { kind: "on"; skip: number; compare: boolean }
  /** Nothing was missing. */
  | { kind: "end" }
  /** It is part of another payload, for all that is known. */
  | { kind: "changed"; expected: string; found: string }
  /** It is not the range that was asked for. */
  | { kind: "wrong"; expected: string; found: string };

/** Reads what the head of an answer says about the payload. */
export function readHead({ statusCode = 0, headers }: IncomingMessage): Head {
  const length = headers["content-length"];
  const range = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/i.exec(headers["content-range"]?.trim() ?? "");
  const [, first, last, size] = range ?? [];
  const whole = statusCode === 200 ? length : size;
  return {
    status: statusCode,
    total: whole === undefined || whole === "*" ? undefined : Number(whole),
    etag: headers.etag !== undefined && /^"[^"]*"$/.test(headers.etag) ? headers.etag : undefined,
    ranges: range !== null || /(^|,)\s*bytes\s*(,|$)/i.test(headers["accept-ranges"] ?? ""),
    start: first === undefined ? undefined : Number(first),
    end: last === undefined ? undefined : Number(last) + 1,
  };
}

/**
 * The headers that ask for what is missing; none where the whole has to be asked for: the peer has
 * no ranges, or neither an ETag nor a checksum would tell the rest of another payload from ours.
 */
export function askForRest(known: Known, offset: number, verified: boolean): Record<string, string> {
  if (offset === 0 || !known.ranges || (known.etag === undefined && !verified)) return {};
  return { range: `bytes=${offset}-`, ...(known.etag !== undefined && { "if-range": known.etag }) };
}

/**
 * Where an answer goes on with the first `offset` bytes, which are there already.
 *
 * @param verified the whole is compared with a checksum at its end, whatever it was put together from
 */
export function continueWith(known: Known, offset: number, verified: boolean, head: Head): Continuation {
  const isAll = known.total === undefined || known.total === offset;
  if (head.status === 416 && head.total === offset && isAll) return { kind: "end" };
  const change = findChange(known, offset, verified, head);
  if (change !== undefined) return { kind: "changed", ...change };
  if (head.status === 200) {
    const compare = offset > 0 && !verified && known.etag === undefined;
    return { kind: "on", skip: offset, compare };
  }
  const isWhole = head.total !== undefined || known.total === undefined || head.end === known.total;
  if (head.status === 206 && head.start === offset && isWhole) return { kind: "on", skip: 0, compare: false };
  const found = head.status === 206 ? `${head.start ?? "none"}-${head.end ?? ""}` : String(head.status);
  return { kind: "wrong", expected: `a Content-Range that begins at ${offset}`, found };
}

function findChange(known: Known, offset: number, verified: boolean, head: Head) {
  const fits = known.total === undefined ? (head.total ?? offset) >= offset : head.total === known.total;
  if (head.total !== undefined && !fits) {
    const expected = known.total === undefined ? `at least ${offset}` : String(known.total);
    return { expected: `${expected} bytes`, found: String(head.total) };
  }
  if (offset === 0 || verified || known.etag === undefined || known.etag === head.etag) return undefined;
  // The answer to If-Range need not repeat the tag.
  if (head.status === 206 && head.etag === undefined) return undefined;
  return { expected: `ETag ${known.etag}`, found: head.etag ?? "none" };
}
