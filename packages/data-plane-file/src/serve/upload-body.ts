import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { ControlError } from "@aieffect/control-interface";

/** Timers of more ms fire at once. */
const maxTimer_ms = 2 ** 31 - 1;

/** How far the body of an upload is read. */
export interface UploadBodyLimits {
  max_bytes: number;
  /** Time without a byte, in ms, while one is wanted. */
  idle_timeout_ms: number;
  /** Ends the reading with its reason. */
  signal: AbortSignal | undefined;
}

/**
 * The body of a request, with the head that a multipart parser asks for. It errors with
 * `body_too_large`, with `request_timeout` when the sender stands still, with `aborted` when it goes
 * away, and with the signal's reason. Destroying it drops the rest, and leaves the request open, so that it can be answered.
 */
export class UploadBody extends Readable {
  /** As multer reads them. */
  readonly headers: IncomingMessage["headers"];
  readonly #request: IncomingMessage;
  readonly #limits: UploadBodyLimits;
  #received = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(request: IncomingMessage, limits: UploadBodyLimits) {
    super();
    this.headers = request.headers;
    this.#request = request;
    this.#limits = limits;
    request.pause();
    request.on("data", this.#onData).on("end", this.#onEnd).on("error", this.#onGone);
    request.on("close", this.#onGone);
    limits.signal?.addEventListener("abort", this.#onAbort);
    if (limits.signal?.aborted) this.#onAbort();
    else if (request.destroyed) this.#onGone();
  }

  override _read(): void {
    // The clock runs only while bytes are wanted: a slow disk is not a silent sender.
    this.#idle ??= setTimeout(this.#onSilence, Math.min(this.#limits.idle_timeout_ms, maxTimer_ms));
    this.#request.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#stopClock();
    const request = this.#request;
    request.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onGone);
    // The listener for errors stays: a sender that goes away now is nobody's error. What still comes
    // is dropped: node would leave it on the connection, in front of the next request.
    request.resume();
    this.#limits.signal?.removeEventListener("abort", this.#onAbort);
    callback(error);
  }

  /** A parser that lets go before the end has given up; it would read all that comes before it says so. */
  override unpipe(destination?: NodeJS.WritableStream): this {
    super.unpipe(destination);
    if (!this.readableEnded) this.destroy();
    return this;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received += chunk.length;
    if (this.#received > this.#limits.max_bytes) {
      this.destroy(tooLarge(this.#limits.max_bytes, "more"));
    } else if (this.push(chunk)) {
      this.#idle?.refresh();
    } else {
      this.#stopClock();
      this.#request.pause();
    }
  };

  readonly #onEnd = (): void => {
    this.#stopClock();
    this.push(null);
  };

  readonly #onGone = (cause?: unknown): void => {
    if (this.#request.readableEnded) return;
    this.destroy(new ControlError("aborted", "The caller went away before its upload was whole", { cause }));
  };

  readonly #onSilence = (): void => {
    this.destroy(
      new ControlError(
        "request_timeout",
        `Expected the upload to go on, found no byte for ${this.#limits.idle_timeout_ms / 1000} s after ${this.#received} bytes; send it again`,
      ),
    );
  };

  readonly #onAbort = (): void => {
    this.destroy(this.#limits.signal?.reason);
  };

  #stopClock(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
  }
}

/** The error of a body above the limit; `found` says how much there is. */
export function tooLarge(max_bytes: number, found: string): ControlError {
  return new ControlError(
    "body_too_large",
    `Expected an upload of at most ${max_bytes} bytes, found ${found}; raise the option \`uploads.max_file_bytes\` if that is meant, or publish the file another way`,
  );
}
