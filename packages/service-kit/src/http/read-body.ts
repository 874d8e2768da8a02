import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import { ControlError, type ValidationIssue } from "@aieffect/control-interface";
import type { ResolvedOptions } from "../options.ts";
import type { BodyRoom } from "../tasks/slots.ts";
import type { Exchange } from "./exchange.ts";

/** How much of a body is taken, and how long it may take to come. */
type BodyLimits = Pick<ResolvedOptions, "max_body_bytes" | "body_timeout_ms">;

/** What a connection takes of memory anyway; a body counts as soon as it is larger. */
const free_bytes = 64 * 1024;

/**
 * The parsed JSON body: what a body parser of the surrounding app made of it, else read here with
 * limits. A large one takes its room as it comes, which is given back where it does not come to its
 * end, and else is for the caller to give back.
 *
 * @throws ControlError `body_too_large`, `request_timeout`, `invalid_request`, `queue_full`
 */
export function readJsonBody(
  { request }: Pick<Exchange, "request">,
  limits: BodyLimits,
  room: BodyRoom,
): JsonBody | Promise<JsonBody> {
  const { body } = request;
  if (body === undefined) return readBytes(request, limits, room);
  // Express's parsers leave the stream at its end; a body they did not take is still unread.
  if (typeof body === "string" || body instanceof Uint8Array) {
    const bytes = Buffer.from(body as Uint8Array);
    assertSize(bytes.length, limits);
    return toJsonBody(bytes);
  }
  const size_bytes = sizeOf(body, request.headers);
  assertSize(size_bytes, limits);
  return { value: body, size_bytes };
}

/** What came in pieces or compressed has a size that its head does not tell. */
function sizeOf(body: unknown, headers: IncomingHttpHeaders): number {
  const isTold = headers["content-length"] !== undefined && headers["content-encoding"] === undefined;
  return isTold ? Number(headers["content-length"]) : Buffer.byteLength(JSON.stringify(body));
}

function assertSize(size: number, { max_body_bytes }: BodyLimits): void {
  if (size > max_body_bytes) throw tooLarge(max_body_bytes, String(size));
}

/** A parsed body, and how large it was. */
interface JsonBody {
  value: unknown;
  size_bytes: number;
}

function readBytes(
  request: Exchange["request"],
  { max_body_bytes, body_timeout_ms }: BodyLimits,
  room: BodyRoom,
): Promise<JsonBody> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > max_body_bytes) throw tooLarge(max_body_bytes, `${announced} announced`);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let counted = 0;
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    // Mostly the body comes with the head, and all that has come is taken before this: no timer is needed.
    void Promise.resolve().then(() => {
      if (over) return;
      timer = setTimeout(() => refuse(tooLate(body_timeout_ms, size)), body_timeout_ms);
    });
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size > max_body_bytes) return refuse(tooLarge(max_body_bytes, "more"));
      chunks.push(chunk);
      if (size <= free_bytes) return;
      try {
        room.take(size - counted);
        counted = size;
      } catch (error) {
        refuse(error);
      }
    };
    function refuse(error: unknown): void {
      over = true;
      room.release();
      clearTimeout(timer);
      // What still comes is for whoever answers to deal with.
      request.off("data", take).pause();
      chunks.length = 0;
      reject(error);
    }
    request.on("data", take);
    // Asked for before they come, pieces are handed on as they come, without a turn of the event loop each.
    request.read(0);
    request.on("end", () => {
      over = true;
      clearTimeout(timer);
      try {
        resolve(toJsonBody(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
      } catch (error) {
        room.release();
        reject(error);
      }
      // The request lives as long as its task may wait; the pieces need not.
      chunks.length = 0;
    });
    request.on("error", (cause) => {
      refuse(new ControlError("aborted", "The caller went away before its body was whole", { cause }));
    });
  });
}

function toJsonBody(bytes: Buffer): JsonBody {
  return { value: parse(bytes), size_bytes: bytes.length };
}

function parse(bytes: Buffer): unknown {
  if (bytes.length === 0) throw invalid("Field required", "missing");
  if (!isUtf8(bytes)) throw invalid("Expected JSON in UTF-8, found bytes that are not UTF-8", "json_invalid");
  const text = bytes.toString("utf8");
  try {
    // A byte order mark is no JSON, but peers on Windows send it.
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    // What the engine quotes of the text stays out of answers and logs: it may be a part of a key.
    const [said] = (error as Error).message.split(/, (?:\.\.\.)?"/);
    throw invalid(`JSON decode error: ${said}`, "json_invalid");
  }
}

function invalid(msg: string, type: string): ControlError {
  const detail: ValidationIssue[] = [{ loc: ["body"], msg, type }];
  return new ControlError("invalid_request", msg, { detail });
}

function tooLarge(max_bytes: number, found: string): ControlError {
  return new ControlError(
    "body_too_large",
    `Expected a body of at most ${max_bytes} bytes, found ${found}; send large payloads by reference`,
  );
}

function tooLate(timeout_ms: number, size: number): ControlError {
  return new ControlError(
    "request_timeout",
    `Expected the whole body within ${timeout_ms} ms, found ${size} bytes of it; send large payloads by reference (R-LIMIT-02)`,
  );
}
