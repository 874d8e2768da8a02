import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { ControlError } from "@aieffect/control-interface";
import { toUnreadable } from "./failures.ts";

/** How far a body is read. */
export interface BodyLimits {
  max_bytes: number;
  /** Time without a byte, in ms, while the reader wants one. */
  idle_timeout_ms: number;
}

/**
 * The body of a response as a stream that ends only when all of it came. It errors with
 * `unreadable_reference` when the connection is cut, nothing comes, or more than `max_bytes` come.
 * Destroying it closes the connection.
 */
export function readBody(response: IncomingMessage, what: string, limits: BodyLimits): Readable {
  let received = 0;
  let idle: NodeJS.Timeout | undefined;
  const body = new Readable({
    read() {
      // The clock runs only while bytes are wanted: a slow reader is not a silent peer.
      idle ??= setTimeout(
        () => body.destroy(silent(what, received, limits.idle_timeout_ms)),
        limits.idle_timeout_ms,
      );
      response.resume();
    },
    destroy(error, callback) {
      stopClock();
      response.destroy();
      callback(error);
    },
  });
  const stopClock = () => {
    clearTimeout(idle);
    idle = undefined;
  };
  const cut = (cause: unknown) => {
    const announced = response.headers["content-length"];
    const expected = announced === undefined ? "more" : `${announced} bytes`;
    const message = `Cannot read ${what}: expected ${expected}, found the connection cut after ${received} bytes; try again, or look into the peer's log`;
    body.destroy(new ControlError("unreadable_reference", message, { cause }));
  };
  response.pause();
  response.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (received > limits.max_bytes) {
      body.destroy(tooLarge(what, "more", limits.max_bytes));
    } else if (body.push(chunk)) {
      idle?.refresh();
    } else {
      stopClock();
      response.pause();
    }
  });
  response.on("end", () => {
    stopClock();
    body.push(null);
  });
  response.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNRESET") cut(error);
    else body.destroy(toUnreadable(what, error));
  });
  return body;
}

/** The error of a payload above the limit; `found` says how much there is. */
export function tooLarge(what: string, found: string, max_bytes: number): ControlError {
  return new ControlError(
    "unreadable_reference",
    `Cannot read ${what}: expected at most ${max_bytes} bytes, found ${found}; raise the option \`max_fetch_bytes\` if that is meant`,
  );
}

function silent(what: string, received: number, idle_timeout_ms: number): ControlError {
  return new ControlError(
    "unreadable_reference",
    `Cannot read ${what}: no byte came for ${idle_timeout_ms / 1000} s after ${received} bytes; try again, or raise the option \`fetch_idle_timeout_ms\``,
  );
}
