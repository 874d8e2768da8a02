import { createHash, type Hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { ControlError } from "@aieffect/control-interface";
import type { Answer } from "./ask.ts";
import { curable, toUnreadable } from "./failures.ts";
import type { Patience } from "./patience.ts";
import { askForRest, continueWith, type Known, readHead } from "./resume.ts";
import { createStopwatch, type Stopwatch } from "./stopwatch.ts";

/** What a payload is fetched with. */
export interface TransferParts {
  /** Asks once; `range` has the headers that ask for a part, or none. */
  ask(range: Record<string, string>): Promise<Answer>;
  patience: Patience;
  /** The whole is compared with a checksum at its end. */
  verified: boolean;
  /** Names the payload in error texts, before its peer has answered. */
  what: string;
  max_bytes: number;
  /** Time without a byte, in ms, while the reader wants one. */
  idle_timeout_ms: number;
  /** Time for all of it, in ms, without that in which the reader wants nothing; Infinity: no limit. */
  timeout_ms: number;
  /** Ends the transfer when it fires, with a ControlError; the transfer fires it when it is destroyed. */
  stop: AbortController;
}

/** Enough to keep a connection busy while the reader works on what it has. */
export const bufferSize = 256 * 1024;

/**
 * A payload as a stream that ends only when all of it came. It goes on after a failure that may
 * pass: from where it was cut where the peer has byte ranges, else from the beginning, leaving out
 * what the reader has once that is known to be the same. It errors with `unreadable_reference` when
 * that does not help, when the payload changed meanwhile, or when more than `max_bytes` come.
 * Destroying it closes the connection.
 */
export class Transfer extends Readable {
  /** Names the payload in error texts. */
  what = "";
  readonly #parts: TransferParts;
  #known: Known = { total: undefined, etag: undefined, ranges: false };
  #response: IncomingMessage | undefined;
  /** Bytes that the reader was given. */
  #offset = 0;
  /** Bytes that this answer begins with and the reader has. */
  #skip = 0;
  /** Of what the reader was given; only where nothing else tells one payload from another. */
  #given: Hash | undefined;
  /** Of what this answer begins with, while it is compared. */
  #skipped: Hash | undefined;
  /** What ended the last answer. */
  #failure: ControlError | undefined;
  #wanted = false;
  #idle: NodeJS.Timeout | undefined;
  readonly #whole: Stopwatch;

  private constructor(parts: TransferParts) {
    super({ highWaterMark: bufferSize });
    this.#parts = parts;
    const { stop, timeout_ms } = parts;
    this.#whole = createStopwatch(timeout_ms, () => stop.abort(this.#slow()));
  }

  /** Resolves when the head of an answer is good. */
  static async open(parts: TransferParts): Promise<Transfer> {
    const transfer = new Transfer(parts);
    transfer.#whole.start();
    // Until somebody reads it takes no time.
    await transfer.#open().finally(() => transfer.#whole.stop());
    // Between here and a reader's own listener lies a moment in which the fetcher may be closed.
    transfer.on("error", () => {});
    const { signal } = parts.stop;
    signal.addEventListener("abort", () => transfer.destroy(signal.reason), { once: true });
    return transfer;
  }

  override _read(): void {
    this.#wanted = true;
    this.#whole.start();
    // After a failure, a connection is made when it is of use: a reader may pause for long.
    if (this.#failure !== undefined) this.#goOn(this.#failure);
    else this.#resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#stopClock();
    this.#whole.stop();
    this.#response?.destroy();
    this.#parts.stop.abort(error ?? new ControlError("aborted", `${this.what}: not read to its end`));
    callback(error);
  }

  #goOn(failure: ControlError): void {
    this.#failure = undefined;
    this.#open(failure).then(
      () => this.#resume(),
      (error: Error) => this.destroy(error),
    );
  }

  /** Asks for what is missing until there is an answer, or patience is at its end. */
  async #open(failure?: unknown): Promise<void> {
    const { ask, patience, verified, stop } = this.#parts;
    for (let last = failure; ; ) {
      if (last !== undefined) await patience.again(last, this.#offset, stop.signal);
      try {
        this.#accept(await ask(askForRest(this.#known, this.#offset, verified)));
        return;
      } catch (error) {
        last = error;
      }
    }
  }

  #accept({ response, what }: Answer): void {
    const { verified, max_bytes } = this.#parts;
    const head = readHead(response);
    const next = continueWith(this.#known, this.#offset, verified, head);
    const isTooLarge = head.total !== undefined && head.total > max_bytes;
    if (next.kind !== "on" || isTooLarge) response.destroy();
    if (next.kind === "end") return void this.push(null);
    if (next.kind === "changed") throw changed(what, this.#offset, next.expected, next.found);
    if (next.kind === "wrong") {
      this.#known = { ...this.#known, ranges: false };
      throw curable("again", unlike(what, next.expected, next.found));
    }
    if (isTooLarge) throw tooLarge(what, String(head.total), max_bytes);
    if (this.#offset === 0) {
      this.#known = head;
      this.#given = verified || head.etag !== undefined ? undefined : createHash("sha256");
    } else {
      this.#known = { ...this.#known, total: this.#known.total ?? head.total };
    }
    this.what = what;
    this.#skip = next.skip;
    this.#skipped = next.compare ? createHash("sha256") : undefined;
    this.#listen(response);
  }

  #listen(response: IncomingMessage): void {
    this.#response = response.pause();
    const current = () => this.#response === response;
    response.on("data", (chunk: Buffer) => current() && this.#take(chunk));
    response.on("end", () => current() && this.#end());
    response.on("error", (error) => current() && this.#fail(this.#cut(error)));
  }

  #take(chunk: Buffer): void {
    const { max_bytes } = this.#parts;
    const { total } = this.#known;
    const rest = this.#skip > 0 ? this.#leaveOut(chunk) : chunk;
    // A byte of a payload that is not the same any more would be one too many.
    if (rest === undefined) return;
    this.#idle?.refresh();
    if (rest.length === 0) return;
    this.#offset += rest.length;
    if (this.#offset > max_bytes) this.destroy(tooLarge(this.what, "more", max_bytes));
    else if (total !== undefined && this.#offset > total) this.destroy(tooLong(this.what, total));
    else {
      this.#given?.update(rest);
      if (this.push(rest)) return;
      this.#wanted = false;
      this.#whole.stop();
      this.#stopClock();
      this.#response?.pause();
    }
  }

  /** What the reader does not have yet; undefined when what it has is not what came now. */
  #leaveOut(chunk: Buffer): Buffer | undefined {
    const known = chunk.subarray(0, this.#skip);
    this.#skip -= known.length;
    this.#skipped?.update(known);
    if (this.#skip === 0 && this.#skipped !== undefined) {
      const isSame = this.#given?.copy().digest().equals(this.#skipped.digest());
      if (!isSame) {
        this.destroy(changed(this.what, this.#offset, "the same bytes as before", "others"));
        return undefined;
      }
    }
    return chunk.subarray(known.length);
  }

  #end(): void {
    const { total } = this.#known;
    if (this.#skip > 0) {
      const found = String(this.#offset - this.#skip);
      this.destroy(changed(this.what, this.#offset, `at least ${this.#offset} bytes`, found));
    } else if (total !== undefined && this.#offset < total) {
      // A peer may give less of a range than it was asked for.
      this.#fail(this.#cut(undefined));
    } else {
      this.#stopClock();
      this.#whole.stop();
      this.push(null);
    }
  }

  /** Ends this answer; the next one is asked for as soon as the reader wants more. */
  #fail(failure: ControlError): void {
    this.#stopClock();
    this.#response?.destroy();
    this.#response = undefined;
    if (this.#wanted) this.#goOn(failure);
    else this.#failure = failure;
  }

  #cut(cause: NodeJS.ErrnoException | undefined): ControlError {
    if (cause?.code !== undefined && cause.code !== "ECONNRESET") {
      return curable("again", toUnreadable(this.what, cause));
    }
    const { total } = this.#known;
    const expected = total === undefined ? "more" : `${total} bytes`;
    const message = `Cannot read ${this.what}: expected ${expected}, found the connection cut after ${this.#offset} bytes; try again, or look into the peer's log`;
    return curable("again", new ControlError("unreadable_reference", message, { cause }));
  }

  #slow(): ControlError {
    const { what, timeout_ms } = this.#parts;
    return tooSlow(this.what || what, this.#offset, timeout_ms);
  }

  #resume(): void {
    if (!this.#wanted || this.#response === undefined) return;
    const { idle_timeout_ms } = this.#parts;
    // The clock runs only while bytes are wanted: a slow reader is not a silent peer.
    this.#idle ??= setTimeout(
      () => this.#fail(silent(this.what, this.#offset, idle_timeout_ms)),
      idle_timeout_ms,
    );
    this.#response.resume();
  }

  #stopClock(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
  }
}

function tooLarge(what: string, found: string, max_bytes: number): ControlError {
  return new ControlError(
    "unreadable_reference",
    `Cannot read ${what}: expected at most ${max_bytes} bytes, found ${found}; raise the option \`max_fetch_bytes\` if that is meant`,
  );
}

function tooLong(what: string, total: number): ControlError {
  const message = `Cannot read ${what}: expected ${total} bytes, as its peer announced, found more; look into the peer, or the proxy before it`;
  return curable("anew", new ControlError("unreadable_reference", message));
}

function tooSlow(what: string, received: number, timeout_ms: number): ControlError {
  return new ControlError(
    "unreadable_reference",
    `Cannot read ${what}: expected all of it within ${timeout_ms / 1000} s, found ${received} bytes by then; look into the peer, or raise the option \`fetch_timeout_ms\``,
  );
}

function silent(what: string, received: number, idle_timeout_ms: number): ControlError {
  const message = `Cannot read ${what}: no byte came for ${idle_timeout_ms / 1000} s after ${received} bytes; try again, or raise the option \`fetch_idle_timeout_ms\``;
  return curable("again", new ControlError("unreadable_reference", message));
}

function unlike(what: string, expected: string, found: string): ControlError {
  return new ControlError(
    "unreadable_reference",
    `Cannot read ${what}: expected ${expected}, found ${found}; look into the peer, or the proxy before it`,
  );
}

function changed(what: string, offset: number, expected: string, found: string): ControlError {
  const message = `Cannot read ${what}: expected ${expected} when it went on after ${offset} bytes, found ${found}: the payload changed meanwhile; read it again from its beginning`;
  return curable("anew", new ControlError("unreadable_reference", message));
}
