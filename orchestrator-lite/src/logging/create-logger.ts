import { once } from "node:events";
import { type Logger as PinoLogger, pino } from "pino";

/** Where and how much is logged. */
export interface LoggerOptions {
  level: string;
  /** Also into `orchestrator.log` in this folder: rotated at 10 MiB, 5 old files kept. @default only standard output */
  folder?: string;
}

/** A logger and how to end it. */
export interface OpenLogger {
  logger: PinoLogger;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

/** Logs JSON lines on standard output and, where a folder is given, into rotating files there. */
export async function createLogger({ level, folder }: LoggerOptions): Promise<OpenLogger> {
  const stdout = pino.destination({ dest: 1, sync: true });
  if (folder === undefined) return { logger: pino({ level }, stdout), close: async () => {} };
  const { createStream } = await import("rotating-file-stream");
  const file = createStream("orchestrator.log", { path: folder, size: "10M", maxFiles: 5 });
  // A full disk must not stop workflows; standard output goes on.
  file.on("error", (error) =>
    process.stderr.write(`Could not write the log in ${folder}: ${error.message}\n`),
  );
  const streams = [
    { level, stream: stdout },
    { level, stream: file },
  ] as Parameters<typeof pino.multistream>[0];
  return {
    logger: pino({ level }, pino.multistream(streams)),
    async close() {
      file.end();
      if (!file.destroyed) await once(file, "close");
    },
  };
}
