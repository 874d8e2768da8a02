import { mkdirSync } from "node:fs";
import { type DestinationStream, type Logger, type LoggerOptions, multistream, pino } from "pino";
import { createStream } from "rotating-file-stream";
import type { Secrets } from "./redact.ts";
import { sharedStdout } from "./stdout.ts";

/** Where the log goes. */
export interface LogOptions {
  /** pino's levels, or `silent`. */
  level: string;
  /** Also into `<dir>/<name>.log`, rotated at 10 MiB, five old files kept. */
  dir: string | undefined;
  /** Name of the service, in every line. */
  name: string;
  /** Instead of standard output. */
  out: DestinationStream | undefined;
  /** What never reaches the log, whoever logs it. */
  secrets: Secrets;
}

/** A logger, and what makes its lines durable at the end. */
export interface ServiceLog {
  log: Logger;
  close(): Promise<void>;
}

let lastTime = 0;
let lastText = "";

/** Under load many lines fall into one millisecond, and formatting it costs more than the rest of a line. */
function isoTime(): string {
  const time = Date.now();
  if (time !== lastTime) {
    lastTime = time;
    lastText = `,"time":"${new Date(time).toISOString()}"`;
  }
  return lastText;
}

/** JSON lines (R-LOG-01, R-ENV-07). */
export function createLog({ level, dir, name, out, secrets }: LogOptions): ServiceLog {
  const options: LoggerOptions = { level, base: { service: name }, timestamp: isoTime };
  const lineByLine: LoggerOptions = { ...options, hooks: { streamWrite: secrets.redactJson } };
  if (dir === undefined && out !== undefined) return { log: pino(lineByLine, out), close: async () => {} };
  const stdout = sharedStdout();
  if (dir === undefined) {
    const show = stdout.hide(secrets);
    return {
      log: pino(options, stdout),
      async close() {
        stdout.flush();
        show();
      },
    };
  }
  try {
    mkdirSync(dir, { recursive: true });
  } catch (cause) {
    throw new TypeError(
      `Expected log_dir (LOG_DIR) to be a folder that can be made, found ${dir}: ${(cause as Error).message}`,
      { cause },
    );
  }
  const file = createStream(`${name}.log`, { path: dir, size: "10M", maxFiles: 5 });
  const log = pino(
    lineByLine,
    multistream([
      { stream: out ?? stdout, level: "trace" },
      { stream: file, level: "trace" },
    ]),
  );
  // A full disk must not take the service down; standard output still has every line.
  file.on("error", (error) => process.stderr.write(`log file in ${dir}: ${error.message}\n`));
  return {
    log,
    async close() {
      if (out === undefined) stdout.flush();
      await new Promise<void>((resolve) => file.end(() => resolve()));
    },
  };
}
