import { isUtf8 } from "node:buffer";
import { ControlError, type ValidationIssue } from "@aieffect/control-interface";
import type { Exchange } from "./exchange.ts";

/**
 * The parsed JSON body: what a body parser of the surrounding app made of it, else read here with
 * a limit. @throws ControlError `body_too_large`, `invalid_request`
 */
export function readJsonBody(
  { request }: Pick<Exchange, "request">,
  max_bytes: number,
): JsonBody | Promise<JsonBody> {
  const { body } = request;
  if (body === undefined) return readBytes(request, max_bytes);
  // Express's parsers leave the stream at its end; a body they did not take is still unread.
  if (typeof body === "string" || body instanceof Uint8Array)
    return toJsonBody(Buffer.from(body as Uint8Array));
  return { value: body, size_bytes: Number(request.headers["content-length"] ?? 0) };
}

/** A parsed body, and how large it was. */
interface JsonBody {
  value: unknown;
  size_bytes: number;
}

function readBytes(request: Exchange["request"], max_bytes: number): Promise<JsonBody> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > max_bytes) throw tooLarge(max_bytes, `${announced} announced`);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= max_bytes) chunks.push(chunk);
      else reject(tooLarge(max_bytes, "more"));
    });
    request.on("end", () => {
      try {
        resolve(toJsonBody(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
      } catch (error) {
        reject(error);
      }
      // The request lives as long as its task may wait; the pieces need not.
      chunks.length = 0;
    });
    request.on("error", (cause) => {
      reject(new ControlError("aborted", "The caller went away before its body was whole", { cause }));
    });
  });
}

function toJsonBody(bytes: Buffer): JsonBody {
  return { value: parse(bytes), size_bytes: bytes.length };
}

function parse(bytes: Buffer): unknown {
  if (bytes.length === 0) throw invalid("Field required", "missing");
  if (!isUtf8(bytes)) throw invalid("Expected JSON in UTF-8, found bytes that are not UTF-8", "json_invalid");
  // A byte order mark is no JSON, but peers on Windows send it.
  const text = bytes.toString("utf8").replace(/^\uFEFF/, "");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`JSON decode error: ${(error as Error).message}`, "json_invalid");
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
