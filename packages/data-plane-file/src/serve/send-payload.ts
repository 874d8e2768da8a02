import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { ControlError, type Format, mediaTypeOf } from "@aieffect/control-interface";
import { choosePart, type Part } from "./choose-part.ts";

/** What can be sent: a file, or bytes. */
export type SentPayload =
  | {
      path: string;
      format: Format;
      /** As it was published; a file that has another size by now is not sent. */
      size_bytes?: number | undefined;
      /** As it was published; the `ETag` is made of it. @default none: of the file's times, number and size */
      checksum?: string | null | undefined;
    }
  | { bytes: Uint8Array; format: Format };

/** How a payload is sent. */
export interface SendOptions {
  /** So long the client may take nothing, in ms, before its connection is cut. @default 120,000 */
  idle_timeout_ms?: number | undefined;
}

/** Where the bytes are, and what tells them from others. */
interface Source {
  size: number;
  etag: string;
  format: Format;
  read(part: Part): Body;
}

/** What is sent. */
interface Body {
  stream: Readable;
  /** Call it when the stream has ended. @throws ControlError `internal` when that was too early */
  assertWhole(): void;
}

/**
 * Answers a GET or HEAD with a payload (R-DATA-01): 200, or 206 with the range that was asked for
 * (R-DATA-05), or 304 where the client has it already, with the media type of its format, its
 * length, a strong `ETag` (R-DATA-06), and the bytes as fast as the client takes them. Resolves
 * when all is sent or the client has gone; the file is closed either way. A file that cannot be
 * read to its end cuts the connection, so that the client never takes a part for the whole.
 *
 * @throws ControlError, before anything is sent, `no_payload` when the file is missing (R-DATA-03),
 * `internal` when it was changed, and `range_not_satisfiable`, with the answer's `Content-Range`
 * set already; `request_timeout` when the client took nothing for too long
 */
export async function sendPayload(
  request: IncomingMessage,
  response: ServerResponse,
  payload: SentPayload,
  { idle_timeout_ms = 120_000 }: SendOptions = {},
): Promise<void> {
  if ("bytes" in payload) return send(request, response, toSource(payload), idle_timeout_ms);
  const handle = await openPayload(payload.path);
  try {
    await send(request, response, await toFileSource(handle, payload), idle_timeout_ms);
  } finally {
    await handle.close();
  }
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { size, etag, format, read }: Source,
  idle_timeout_ms: number,
): Promise<void> {
  const chosen = choosePart(request.headers, size, etag);
  const always = { "accept-ranges": "bytes", etag };
  if (chosen === "unchanged") {
    response.writeHead(304, always).end();
    return;
  }
  if (chosen === "unsatisfiable") {
    response.setHeader("content-range", `bytes */${size}`);
    throw new ControlError(
      "range_not_satisfiable",
      `Expected a range of the payload's ${size} bytes, found ${request.headers.range}; ask for one that begins before its end`,
    );
  }
  const part = chosen === "whole" ? { start: 0, end: size } : chosen;
  const length = part.end - part.start;
  response.writeHead(chosen === "whole" ? 200 : 206, {
    ...always,
    ...(chosen !== "whole" && { "content-range": `bytes ${part.start}-${part.end - 1}/${size}` }),
    "content-type": mediaTypeOf(format),
    "content-length": length,
    // A payload is never a page, whatever a browser makes of its bytes.
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
  });
  if (length === 0 || request.method === "HEAD") response.end();
  else await sendBody(response, read(part), idle_timeout_ms);
}

/** Node's timers count in 32 bits, and end at once when they are set to more. */
const longestTimer_ms = 2 ** 31 - 1;

async function sendBody(
  response: ServerResponse,
  { stream, assertWhole }: Body,
  idle_timeout_ms: number,
): Promise<void> {
  let failure: unknown;
  stream.once("error", (error) => {
    if (!response.destroyed) failure ??= error;
  });
  const { socket } = response;
  const usual = socket?.timeout ?? 0;
  const limit_ms = Math.min(idle_timeout_ms, longestTimer_ms);
  response.setTimeout(limit_ms, () => {
    // Otherwise it is the disk that is waited for, or the next call on this connection.
    if (!response.writableNeedDrain && response.writableLength === 0) return;
    failure ??= new ControlError(
      "request_timeout",
      `Expected the client to take the payload, found that it took nothing for ${idle_timeout_ms / 1000} s; the connection is cut`,
    );
    response.destroy();
  });
  try {
    await pipeline(stream, response, { end: false });
    assertWhole();
    response.end();
    await finished(response);
  } catch (error) {
    if (!response.destroyed) {
      failure ??= error;
      response.destroy();
    }
    // Without a failure on this side it is the client that has gone, and nobody is left to tell.
    if (failure !== undefined) throw failure;
  } finally {
    // Once the answer is out, node itself may have set the time until the next call.
    if (socket?.timeout === limit_ms) socket.setTimeout(usual);
  }
}

function toSource({ bytes, format }: { bytes: Uint8Array; format: Format }): Source {
  const etag = `"sha256:${createHash("sha256").update(bytes).digest("hex")}"`;
  const read = ({ start, end }: Part) => ({
    stream: Readable.from([bytes.subarray(start, end)]),
    assertWhole: () => {},
  });
  return { size: bytes.length, etag, format, read };
}

async function toFileSource(
  handle: FileHandle,
  payload: Extract<SentPayload, { path: string }>,
): Promise<Source> {
  const { path, format, size_bytes, checksum } = payload;
  const stats = await handle.stat({ bigint: true });
  const size = Number(stats.size);
  if (!stats.isFile()) throw changed(path, "a regular file", "something else");
  if (size_bytes !== undefined && size_bytes !== size)
    throw changed(path, `${size_bytes} bytes`, String(size));
  // The time also where there is a checksum: it is of what was published, and a file can be changed.
  const known = /^[\x21\x23-\x7e]+$/.test(checksum ?? "") ? checksum : `${stats.ino}-${stats.ctimeNs}`;
  const etag = `"${known}-${size}-${stats.mtimeNs}"`;
  return { size, etag, format, read: (part) => readExactly(handle, part, path) };
}

function readExactly(handle: FileHandle, { start, end }: Part, path: string): Body {
  // Up to the announced end: the file may go on growing.
  const stream = handle.createReadStream({
    start,
    end: end - 1,
    highWaterMark: 256 * 1024,
    autoClose: false,
  });
  return {
    stream,
    assertWhole() {
      const at = start + stream.bytesRead;
      if (at !== end) throw changed(path, `at least ${end} bytes`, String(at));
    },
  };
}

async function openPayload(path: string): Promise<FileHandle> {
  return open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") {
      throw new ControlError("no_payload", "The payload is no longer here; run the task again", {
        cause: error,
      });
    }
    throw new ControlError("internal", `Could not open the payload ${path}: ${error.message}`, {
      cause: error,
    });
  });
}

function changed(path: string, expected: string, found: string): ControlError {
  return new ControlError(
    "internal",
    `Expected the payload ${path} to be ${expected}, found ${found}: it was changed after it was published; run the task again`,
  );
}
