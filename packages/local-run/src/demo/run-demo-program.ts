import { catchStopSignals } from "../terminal/stop-signal.ts";
import type { Demo } from "./demo.ts";
import { readOptions } from "./read-options.ts";
import { runDemo } from "./run-demo.ts";
import { UsageError } from "./usage-error.ts";

/**
 * The whole program of a demo: reads this process's command line, runs the use case once, and sets
 * the exit code: 0 done, 1 the workflow failed, 2 wrong usage, 130 interrupted.
 */
export async function runDemoProgram(demo: Demo): Promise<void> {
  const stop = catchStopSignals();
  try {
    const options = readOptions(demo, process.argv.slice(2));
    if (options === undefined) process.stdout.write(demo.help);
    else process.exitCode = await runDemo(demo, options, process, stop.signal);
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) {
      process.exitCode = stop.exitCode();
    } else if (error instanceof UsageError) {
      process.stderr.write(
        `${error.message}\nTry npm run demo -- --help; every option stands behind the --.\n`,
      );
      process.exitCode = 2;
    } else {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  } finally {
    stop.release();
  }
}
