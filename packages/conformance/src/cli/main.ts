#!/usr/bin/env node
import { startFolder } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { runCommand } from "./run-command.ts";

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // The second time: now, without a report.
    if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
    interruption.abort();
  });
}
// `| head` is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.conformant);
  throw error;
});

const code = await runCommand(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: readStdin,
  env: process.env,
  folder: startFolder(process.env),
  signal: interruption.signal,
});
// Whatever a case left behind does not hold up the end.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));

async function readStdin(): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}
