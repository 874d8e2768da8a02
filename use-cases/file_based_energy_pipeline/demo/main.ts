#!/usr/bin/env node
import { catchStopSignals } from "@aieffect/local-run";
import { help, readOptions, UsageError } from "./options.ts";
import { runDemo } from "./run-demo.ts";

const stop = catchStopSignals();
try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(help);
  else process.exitCode = await runDemo(options, process, stop.signal);
} catch (error) {
  if (stop.signal.aborted && error === stop.signal.reason) {
    process.exitCode = stop.exitCode();
  } else if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\nTry --help.\n`);
    process.exitCode = 2;
  } else {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
} finally {
  stop.release();
}
