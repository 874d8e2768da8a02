import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { longestBody } from "./content-coding.ts";
import {
  type Exchange,
  type History,
  longestKept,
  mostReading,
  type ReceivedReply,
  type WrittenPiece,
} from "./exchange.ts";
import type { WireOptions } from "./send.ts";

/** One conversation over a socket of its own, for what HTTP clients are too polite to send. */
export interface RawCall {
  /** What is written, in order; a number is a pause in ms, an object waits until so much has come back. */
  write: readonly (string | Uint8Array | number | RawWait | Repeated)[];
  /** Half-close after the last write. @default false */
  end?: boolean;
  /** Reset the connection after the last write, as a caller does that dies. @default false */
  abort?: boolean;
  /** A 5xx is a legal answer here, and monitors do not mind it. @default false */
  may_be_5xx?: boolean;
  /** Stop reading when so many replies are whole. @default until the peer closes */
  replies?: number;
  /** @default the target's */
  timeout_ms?: number;
  /** Fires when its time is up. */
  signal?: AbortSignal;
}

/** Bytes that are written many times over, and not kept in the history. */
interface Repeated {
  bytes: Uint8Array;
  times: number;
}

/** Writing goes on when this much has come back. */
type RawWait = { replies: number } | { bytes: number };

/** What came back over a raw socket. */
export interface RawResult {
  /** Every byte. */
  bytes: Buffer;
  /** The replies that could be told apart, by the framing they announce. */
  replies: ReceivedReply[];
  /** What is left behind the last of them. */
  rest: Buffer;
  /** How it ended: all replies that were waited for came, the peer closed, time was up, or the harness reset it on purpose. */
  ended: "replied" | "closed" | "reset" | "timeout" | "refused" | "aborted";
  duration_ms: number;
  exchange: Exchange;
}

/** Speaks bytes. `hostHeader` and the prefix of the base URL are the caller's business: see {@link requestHead}. */
export function sendRaw(history: History, options: WireOptions, call: RawCall): Promise<RawResult> {
  options.admit?.();
  const base = new URL(options.base_url);
  const { timeout_ms = options.timeout_ms } = call;
  const case_id = options.caseId();
  const sent_at = history.now();
  const received = new Received();
  const written: Buffer[] = [];
  const script: WrittenPiece[] = [];
  return new Promise((resolve) => {
    const isTls = base.protocol === "https:";
    const host = base.hostname.replace(/^\[|\]$/g, "");
    const port = Number(base.port || (isTls ? 443 : 80));
    const socket = isTls ? connectTls({ host, port, servername: host }) : connect({ host, port });
    let over = false;
    let arrived = () => {};
    const hasCome = (wait: RawWait) => {
      if ("bytes" in wait) return received.bytes.length >= wait.bytes;
      return splitReplies(received.bytes, false).replies.length >= wait.replies;
    };
    let looked = 0;
    let soon: NodeJS.Timeout | undefined;
    const look = () => {
      soon = undefined;
      looked = received.bytes.length;
      if (splitReplies(received.bytes, false).replies.length >= (call.replies ?? Infinity))
        finish("replied", "");
    };
    const finish = (ended: RawResult["ended"], message: string) => {
      if (over) return;
      over = true;
      history.reading -= received.bytes.length;
      clearTimeout(deadline);
      arrived();
      call.signal?.removeEventListener("abort", giveUp);
      if (ended === "aborted" && !isTls) (socket as Socket).resetAndDestroy();
      else socket.destroy();
      clearTimeout(soon);
      const bytes = Buffer.from(received.bytes);
      const { replies, rest } = splitReplies(bytes, ended === "closed" || ended === "reset");
      const request = describe(Buffer.concat(written));
      const exchange: Omit<Exchange, "n"> = {
        case_id,
        kind: undefined,
        valid: false,
        ...(call.may_be_5xx && { may_be_5xx: true }),
        request,
        reply: replies[0],
        silence: replies.length > 0 ? undefined : silenceIn(bytes, ended, message),
        sent_at,
        answered_at: undefined,
        ended_at: history.now(),
        connection: 0,
        written: script,
        received: bytes,
      };
      resolve({
        bytes,
        replies,
        rest,
        ended,
        duration_ms: history.now() - sent_at,
        exchange: history.add(exchange),
      });
    };
    const deadline = setTimeout(() => finish("timeout", `no end within ${timeout_ms} ms`), timeout_ms);
    const giveUp = () => finish("timeout", "the harness gave up");
    call.signal?.addEventListener("abort", giveUp, { once: true });
    socket.on("data", (piece: Buffer) => {
      if (over) return;
      received.add(piece);
      history.reading += piece.length;
      arrived();
      const { length } = received.bytes;
      if (length > longestReceived) return finish("timeout", `no end within ${longestReceived} bytes`);
      // Many at once that each get a lot.
      if (length > longestKept && history.reading > mostReading)
        return finish("timeout", `no end within ${length} bytes`);
      if (call.replies === undefined) return;
      // What is long is not read anew with every piece of it.
      if (length < longestKept || length > 1.1 * looked) look();
      else soon ??= setTimeout(look, 20);
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      finish(error.code === "ECONNREFUSED" ? "refused" : "reset", error.message),
    );
    socket.on("end", () => finish("closed", "the peer closed the connection"));
    socket.on("close", () => finish("closed", "the peer closed the connection"));
    socket.once(isTls ? "secureConnect" : "connect", async () => {
      const write = (bytes: Uint8Array) => socket.write(bytes) || isDrained(socket);
      for (const piece of call.write) {
        if (over) return;
        script.push(toWritten(piece));
        if (typeof piece === "number") await new Promise((next) => setTimeout(next, piece));
        else if (typeof piece === "string" || piece instanceof Uint8Array) {
          const bytes = Buffer.from(piece as Uint8Array);
          written.push(bytes);
          await write(bytes);
        } else if ("times" in piece) {
          for (let time = 0; time < piece.times && !over; time++) await write(piece.bytes);
        } else {
          while (!over && !hasCome(piece)) await new Promise<void>((next) => (arrived = next));
        }
      }
      if (call.end && !over) socket.end();
      if (call.abort) finish("aborted", "the harness went away on purpose");
    });
  });
}

/** More is not read: a reply without end would fill the memory. */
const longestReceived = longestBody + 2 ** 20;

/** Bytes that come bit by bit, put together without copying all of them each time. */
class Received {
  #kept = Buffer.alloc(4096);
  #length = 0;

  get bytes(): Buffer {
    return this.#kept.subarray(0, this.#length);
  }

  add(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#kept.length) {
      const larger = Buffer.alloc(2 * length);
      this.bytes.copy(larger);
      this.#kept = larger;
    }
    piece.copy(this.#kept, this.#length);
    this.#length = length;
  }
}

/** A head that is longer is none: looking for its end again and again would take for ever. */
const longestHead = 2 ** 18;

/** Resolves when more can be written, or never again. */
function isDrained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}

/** Request line and headers for a raw call, ended by an empty line. */
export function requestHead(
  base_url: string,
  method: string,
  path: string,
  headers: readonly string[] = [],
  token?: string,
): string {
  const base = new URL(base_url);
  const own = token === undefined ? [] : [`Authorization: Bearer ${token}`];
  const target = base.pathname.replace(/\/+$/, "") + path;
  return [`${method} ${target} HTTP/1.1`, `Host: ${base.host}`, ...own, ...headers, "", ""].join("\r\n");
}

/** Replies one after another as their framing tells them apart; one without a length goes to the end of the connection. */
export function splitReplies(bytes: Buffer, closed: boolean): { replies: ReceivedReply[]; rest: Buffer } {
  const replies: ReceivedReply[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const head = rest.subarray(0, longestHead).indexOf("\r\n\r\n");
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(rest.subarray(0, 16).toString("latin1"))?.[1];
    if (head < 0 || status === undefined) break;
    const headers: Record<string, string> = {};
    for (const line of rest.subarray(0, head).toString("latin1").split("\r\n").slice(1)) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).trim().toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    const framed = readBody(rest.subarray(head + 4), Number(status), headers, closed);
    if (framed === undefined) break;
    rest = framed.rest;
    // 100 Continue and its kind are no replies.
    if (Number(status) >= 200)
      replies.push({ status: Number(status), headers, body: framed.body, cut: false });
  }
  return { replies, rest };
}

function readBody(bytes: Buffer, status: number, headers: Record<string, string>, closed: boolean) {
  if (status < 200 || status === 204 || status === 304) return { body: Buffer.alloc(0), rest: bytes };
  if (/chunked/i.test(headers["transfer-encoding"] ?? "")) return readChunks(bytes);
  const length = headers["content-length"];
  if (length === undefined) return closed ? { body: bytes, rest: Buffer.alloc(0) } : undefined;
  const size = Number(length);
  return bytes.length < size ? undefined : { body: bytes.subarray(0, size), rest: bytes.subarray(size) };
}

function readChunks(bytes: Buffer) {
  const pieces: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const line = rest.indexOf("\r\n");
    if (line < 0) return undefined;
    const size = Number.parseInt(rest.subarray(0, line).toString("latin1"), 16);
    if (Number.isNaN(size) || rest.length < line + 2 + size + 2) return undefined;
    pieces.push(rest.subarray(line + 2, line + 2 + size));
    rest = rest.subarray(line + 2 + size + 2);
    if (size === 0) return { body: Buffer.concat(pieces), rest };
  }
}

/** Why there is no reply among the bytes. */
function silenceIn(bytes: Buffer, ended: RawResult["ended"], message: string): Exchange["silence"] {
  const head = bytes.subarray(0, briefHead);
  if (head.includes("\n\n") && !head.includes("\r\n"))
    return { kind: "malformed", message: "lines that end in LF alone, where HTTP has CR LF" };
  return { kind: silenceOf(ended), message };
}

/** So far the end of a head is looked for. */
const briefHead = 2 ** 14;

function silenceOf(ended: RawResult["ended"]) {
  if (ended === "aborted") return "given up";
  if (ended === "timeout" || ended === "refused") return ended;
  return "closed";
}

/** A piece as the history keeps it. */
function toWritten(piece: RawCall["write"][number]): WrittenPiece {
  if (typeof piece === "number") return piece;
  if (typeof piece === "string" || piece instanceof Uint8Array) return Buffer.from(piece as Uint8Array);
  // Where it waited for what comes back, a pause will do.
  return "times" in piece ? { bytes: Buffer.from(piece.bytes), times: piece.times } : 500;
}

/** So much of what was written as can be read as a request. */
function describe(bytes: Buffer): Exchange["request"] {
  const head = bytes.indexOf("\r\n\r\n");
  const [line = "", ...lines] = bytes
    .subarray(0, head < 0 ? Math.min(bytes.length, 8192) : head)
    .toString("latin1")
    .split("\r\n");
  const [method = "", path = ""] = line.split(" ");
  const headers = lines.map((one) => {
    const colon = one.indexOf(":");
    return [one.slice(0, colon).toLowerCase(), one.slice(colon + 1).trim()] as const;
  });
  return { method, path, headers, body: head < 0 ? Buffer.alloc(0) : bytes.subarray(head + 4) };
}
