import { writeSync } from "node:fs";
import type { Secrets } from "./redact.ts";

/** Lines wait for so many characters, or so long, before they are written together. */
const batch = 8192;
const flushEvery_ms = 100;
/** What a reader that stands still may make us hold; lines beyond are dropped and counted. */
const maxHeld = 4 * 2 ** 20;

/** Where log lines go. */
export interface LineSink {
  write(line: string): void;
  /** Takes secrets out of all lines, many at once, which costs less than line by line. @returns ends it */
  hide(secrets: Secrets): () => void;
  /** Writes what is held, as far as the reader takes it. Never throws. */
  flush(): void;
}

let stdout: LineSink | undefined;

/** Standard output, one for all services of the process; flushed also when an exception ends it. */
export function sharedStdout(): LineSink {
  if (stdout === undefined) {
    const sink = createLineSink(openStdout());
    process.once("exit", sink.flush);
    stdout = sink;
  }
  return stdout;
}

/**
 * The descriptor of standard output. Asking for it through `process.stdout` makes a pipe or socket
 * non-blocking: else a reader that stands still would stop the whole process in the middle of a write.
 */
function openStdout(): number {
  return process.stdout.fd;
}

/**
 * Writes lines to a file descriptor in batches: a write for each line would cost more than many an
 * operation. A reader that is gone does not end the service, and one that stands still loses lines.
 */
export function createLineSink(
  fd: number,
  write = writeSync as (fd: number, data: Buffer) => number,
): LineSink {
  let lines = "";
  let rest: Buffer = Buffer.alloc(0);
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  const hidden = new Set<Secrets>();

  /** Before lines leave, or what hides something in them does. */
  function redact(): void {
    for (const secrets of hidden) lines = secrets.redactJson(lines);
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    try {
      while (rest.length > 0) rest = rest.subarray(write(fd, rest));
      redact();
      rest = Buffer.from(lines);
      lines = "";
      while (rest.length > 0) rest = rest.subarray(write(fd, rest));
      if (dropped > 0)
        lines = `{"level":40,"msg":"${dropped} log lines were dropped, the reader stood still"}\n`;
      dropped = 0;
    } catch (error) {
      // Nobody reads any more (EPIPE, a full disk): the log is lost, the service goes on.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") rest = Buffer.alloc(0);
    }
    if (rest.length > 0 || lines !== "") schedule();
  }

  function schedule(): void {
    timer ??= setTimeout(flush, flushEvery_ms).unref();
  }

  return {
    write(line) {
      if (rest.length + lines.length > maxHeld) {
        dropped++;
        return;
      }
      lines += line;
      if (rest.length === 0 && lines.length >= batch) flush();
      else schedule();
    },
    hide(secrets) {
      hidden.add(secrets);
      return () => {
        redact();
        hidden.delete(secrets);
      };
    },
    flush,
  };
}
