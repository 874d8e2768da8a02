import { HarnessFault } from "../engine/stop.ts";
import { printable } from "../report/printable.ts";
import { ManifestError } from "../target/manifest.ts";
import type { CommandContext } from "./context.ts";
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

/** Runs what stands behind the program's name. Never rejects. @returns the exit code */
export async function runCommand(argv: readonly string[], context: CommandContext): Promise<number> {
  // Package managers hand on the "--" that stands before a script's arguments.
  const [name, ...args] = argv[0] === "--" ? argv.slice(1) : argv;
  const { stdout, stderr } = context;
  const isHelp = name === undefined || name === "--help" || name === "-h" || name === "help";
  if (isHelp || args.includes("--help") || args.includes("-h")) {
    const { helpOf } = await import("./help.ts");
    (name === undefined ? stderr : stdout).write(helpOf(isHelp ? args[0] : name));
    return name === undefined ? exitCodes.usage : exitCodes.conformant;
  }
  if (name === "--version") {
    const { suiteVersion } = await import("../engine/run.ts");
    stdout.write(`${suiteVersion}\n`);
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
    return await (await load())(args, context);
  } catch (error) {
    return context.signal.aborted ? exitCodes.interrupted : tell(error, context);
  }
}

/** Says what went wrong, and gives the exit code. */
function tell(error: unknown, { stderr }: CommandContext): number {
  const { message, stack, cause } = error as Error;
  if (error instanceof UsageError || error instanceof ManifestError) {
    stderr.write(`${printable(message)}\n`);
    return exitCodes.usage;
  }
  if (error instanceof UnreachableError) {
    stderr.write(`${printable(message)}\n`);
    return exitCodes.unreachable;
  }
  const more = error instanceof HarnessFault ? (cause as Error | undefined)?.stack : stack;
  stderr.write(
    `The harness broke: ${printable(message)}${more === undefined ? "" : `\n${printable(more)}`}\n`,
  );
  return exitCodes.harnessFault;
}
