#!/usr/bin/env node
import { HarnessFault } from "../engine/stop.ts";
import { printable } from "../report/printable.ts";
import { ManifestError } from "../target/manifest.ts";
import { type CommandContext, startFolder } from "./context.ts";
import { UnreachableError, UsageError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";

type Command = (args: readonly string[], context: CommandContext) => number | Promise<number>;

/** Each loads only what it needs. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  test: async () => (await import("./test.ts")).test,
  list: async () => (await import("./list.ts")).list,
  explain: async () => (await import("./explain.ts")).explain,
  init: async () => (await import("./init.ts")).init,
  baseline: async () => (await import("./baseline.ts")).baseline,
  matrix: async () => (await import("./matrix.ts")).matrix,
  selftest: async () => (await import("./selftest.ts")).selftest,
  "serve-fixtures": async () => (await import("./serve-fixtures.ts")).serveFixtures,
};

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

const code = await main(process.argv.slice(2));
// Whatever a case left behind does not hold up the end.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));

async function main(argv: readonly string[]): Promise<number> {
  // Package managers hand on the "--" that stands before a script's arguments.
  const [name, ...args] = argv[0] === "--" ? argv.slice(1) : argv;
  const isHelp = name === undefined || name === "--help" || name === "-h" || name === "help";
  if (isHelp || args.includes("--help") || args.includes("-h")) {
    const { helpOf } = await import("./help.ts");
    (name === undefined ? process.stderr : process.stdout).write(helpOf(isHelp ? args[0] : name));
    return name === undefined ? exitCodes.usage : exitCodes.conformant;
  }
  if (name === "--version") {
    const { suiteVersion } = await import("../engine/run.ts");
    process.stdout.write(`${suiteVersion}\n`);
    return exitCodes.conformant;
  }
  try {
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (load === undefined) {
      const known = Object.keys(commands).join(", ");
      throw new UsageError(
        `Expected a command, one of ${known}; found "${name}"; see aieffect-conformance --help`,
      );
    }
    const context: CommandContext = {
      stdout: process.stdout,
      stderr: process.stderr,
      stdin: readStdin,
      env: process.env,
      folder: startFolder(process.env),
      signal: interruption.signal,
    };
    return await (await load())(args, context);
  } catch (error) {
    if (interruption.signal.aborted) return exitCodes.interrupted;
    return tell(error);
  }
}

/** Says what went wrong, and gives the exit code. */
function tell(error: unknown): number {
  const { message, stack, cause } = error as Error;
  if (error instanceof UsageError || error instanceof ManifestError) {
    process.stderr.write(`${printable(message)}\n`);
    return exitCodes.usage;
  }
  if (error instanceof UnreachableError) {
    process.stderr.write(`${printable(message)}\n`);
    return exitCodes.unreachable;
  }
  const more = error instanceof HarnessFault ? (cause as Error | undefined)?.stack : stack;
  process.stderr.write(
    `The harness broke: ${printable(message)}${more === undefined ? "" : `\n${printable(more)}`}\n`,
  );
  return exitCodes.harnessFault;
}

async function readStdin(): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}
