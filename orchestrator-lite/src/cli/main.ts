#!/usr/bin/env node
import { exitCodes } from "./exit-codes.ts";
import { printable } from "./print-outputs.ts";
import { readArguments } from "./read-arguments.ts";
import { UsageError } from "./usage-error.ts";

/** How long a stop may take before the process ends anyway. */
const longestStop_ms = 8000;

const interruption = new AbortController();
for (const [signal, code] of [
  ["SIGINT", exitCodes.interrupted],
  ["SIGTERM", exitCodes.terminated],
] as const) {
  process.on(signal, () => {
    // The second time, or when stopping hangs: now.
    if (interruption.signal.aborted) process.exit(code);
    interruption.abort(code);
    setTimeout(() => process.exit(code), longestStop_ms).unref();
  });
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: string[]): Promise<number> {
  try {
    const args = readArguments(argv);
    if (args.command === "help") {
      const { helpOf } = await import("./help.ts");
      process.stdout.write(helpOf(args.of));
      return exitCodes.completed;
    }
    // Each command loads only what it needs: `run` has no HTTP API, `serve` reads no inputs.
    if (args.command === "serve") return await (await import("./serve.ts")).serve(args, interruption.signal);
    if (args.command === "run") return await (await import("./run.ts")).run(args, interruption.signal);
    return await (await import("./conformance.ts")).conformance(args, interruption.signal);
  } catch (error) {
    process.stderr.write(`${printable((error as Error).message)}\n`);
    return isUsage(error) ? exitCodes.usage : exitCodes.failed;
  }
}

/** Options that make no sense are TypeErrors, inputs that are no references ControlErrors. */
function isUsage(error: unknown): boolean {
  if (error instanceof UsageError || error instanceof TypeError) return true;
  return (error as { code?: unknown }).code === "invalid_reference";
}
