import { type FileHandle, open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { ControlError, type Format, mediaTypeOf } from "@aieffect/control-interface";

/** What can be sent: a file, or bytes. */
export type SentPayload =
  | {
      path: string;
      format: Format;
      /** As it was published; a file that has another size by now is not sent. */
      size_bytes?: number | undefined;
    }
  | { bytes: Uint8Array; format: Format };

/**
 * Answers a GET or HEAD with a payload (R-DATA-01): 200, the media type of its format, its length,
 * and the bytes as fast as the client takes them. Resolves when all is sent or the client has
 * gone; the file is closed either way. A file that cannot be read to its end cuts the connection,
 * so that the client never takes a part for the whole.
 *
 * @throws ControlError, before anything is sent, `no_payload` when the file is missing (R-DATA-03)
 * and `internal` when it was changed
 */
export async function sendPayload(
  request: IncomingMessage,
  response: ServerResponse,
  payload: SentPayload,
): Promise<void> {
  if ("bytes" in payload) {
    writeHead(response, payload.format, payload.bytes.length);
    return sendBody(request, response, payload.bytes.length === 0 ? [] : [payload.bytes]);
  }
  const handle = await openPayload(payload.path);
  try {
    const size = await sizeOf(handle, payload);
    writeHead(response, payload.format, size);
    await sendBody(request, response, size === 0 ? [] : readExactly(handle, size, payload.path));
  } finally {
    await handle.close();
  }
}

function writeHead(response: ServerResponse, format: Format, size: number): void {
  response.writeHead(200, {
    "content-type": mediaTypeOf(format),
    "content-length": size,
    // A payload is never a page, whatever a browser makes of its bytes.
    "x-content-type-options": "nosniff",
  });
}

async function sendBody(
  request: IncomingMessage,
  response: ServerResponse,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  let failure: unknown;
  async function* watched() {
    try {
      yield* pieces;
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  try {
    await pipeline(request.method === "HEAD" ? [] : watched, response);
  } catch {
    // Without a failure on this side it is the client that has gone, and nobody is left to tell.
    if (failure !== undefined) throw failure;
  }
}

async function* readExactly(handle: FileHandle, size: number, path: string): AsyncGenerator<Uint8Array> {
  let sent = 0;
  // Up to the announced length: the file may go on growing.
  const file = handle.createReadStream({
    start: 0,
    end: size - 1,
    highWaterMark: 256 * 1024,
    autoClose: false,
  });
  for await (const chunk of file) {
    sent += (chunk as Buffer).length;
    yield chunk as Buffer;
  }
  if (sent !== size) throw changed(path, `${size} bytes`, String(sent));
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

async function sizeOf(
  handle: FileHandle,
  { path, size_bytes }: { path: string; size_bytes?: number | undefined },
) {
  const stats = await handle.stat();
  if (!stats.isFile()) throw changed(path, "a regular file", "something else");
  if (size_bytes === undefined || size_bytes === stats.size) return stats.size;
  throw changed(path, `${size_bytes} bytes`, String(stats.size));
}

function changed(path: string, expected: string, found: string): ControlError {
  return new ControlError(
    "internal",
    `Expected the payload ${path} to be ${expected}, found ${found}: it was changed after it was published; run the task again`,
  );
}
