import type { ScaffoldError } from "@aieffect/generators";
import type { ProblemsError } from "@aieffect/onboarding";
import { CliError, toErrorJson, toErrorText } from "./errors/cli-error.ts";
import { toCliError } from "./errors/to-cli-error.ts";
import { exitCodes } from "./exit-codes.ts";
import { helpOf } from "./help.ts";
import { nearest } from "./nearest.ts";

/** A command's module. */
interface Command {
  /** @param interrupted fires with the first Ctrl-C or SIGTERM; commands that do not look at it are ended by it */
  run(args: string[], interrupted: AbortSignal): Promise<number>;
  /** The command ends itself, in an orderly way, when it is interrupted. */
  endsItself?: boolean;
}

/** Each loads only what it needs. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  dev: () => import("./commands/dev.ts"),
  try: () => import("./commands/try.ts"),
  test: () => import("./commands/test.ts"),
  add: () => import("./commands/add.ts"),
  info: () => import("./commands/info.ts"),
  why: () => import("./commands/why.ts"),
  doctor: () => import("./commands/doctor.ts"),
  check: () => import("./commands/check.ts"),
  export: () => import("./commands/export.ts"),
  "export compose": () => import("./commands/export-compose.ts"),
  "build-script": () => import("./commands/build-script.ts"),
  import: () => import("./commands/import.ts"),
  graph: () => import("./commands/graph.ts"),
};

const interruption = new AbortController();
let endsItself = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // The second time: now.
    if (!endsItself || interruption.signal.aborted) process.exit(exitCodes.interrupted);
    interruption.abort();
  });
}
// `| head` is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.fine);
  throw error;
});
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  // Package managers hand on the "--" that stands before a script's arguments.
  const [first, ...rest] = argv[0] === "--" ? argv.slice(1) : argv;
  const pair = `${first} ${rest[0]}`;
  const [name, args] = pair in commands ? [pair, rest.slice(1)] : [first, rest];
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    const text = helpOf(args.join(" "));
    if (name !== undefined) process.stdout.write(text);
    else process.stderr.write(text);
    return name === undefined ? exitCodes.usage : exitCodes.fine;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) {
    const known = Object.keys(commands);
    const meant = nearest(name, known);
    const fixes = [...(meant === undefined ? [] : [`aieffect ${meant}`]), "aieffect --help"];
    const message = `Expected a command, one of ${known.join(", ")}, found "${name}"`;
    return tell(new CliError("usage", message, { fixes }), args.includes("--json"));
  }
  if (asksForHelp(args)) {
    process.stdout.write(helpOf(name));
    return exitCodes.fine;
  }
  const json = args.includes("--json");
  // Also what is thrown beside the command's own promise gets its number and its report.
  process.on("uncaughtException", async (error) => process.exit(tell(await toCliError(error, name), json)));
  try {
    const command = await load();
    endsItself = command.endsItself ?? false;
    return await command.run(args, interruption.signal);
  } catch (error) {
    if ((error as Error).name === "ProblemsError") return await tellProblems(error as ProblemsError);
    if ((error as Error).name === "ScaffoldError") {
      return await tellScaffolding(error as ScaffoldError, json);
    }
    return tell(await toCliError(error, name), json);
  }
}

/** Everything that is wrong with documents, with file and line. @returns the exit code */
async function tellProblems({ problems }: ProblemsError): Promise<number> {
  // Loaded by the commands that throw it already; the others do without.
  const { toText } = await import("@aieffect/onboarding");
  process.stderr.write(toText(problems));
  return exitCodes.invalidDocument;
}

/** As the other doors to the generators tell it. @returns the exit code */
async function tellScaffolding(error: ScaffoldError, json: boolean): Promise<number> {
  const { toErrorJson, toErrorText } = await import("@aieffect/generators");
  if (json) process.stdout.write(toErrorJson(error));
  else process.stderr.write(toErrorText(error));
  return error.exitCode;
}

/** What stands behind `--` belongs to somebody else. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  return own.includes("--help") || own.includes("-h");
}

/** For programs on standard output, for people on standard error. @returns the exit code */
function tell(error: CliError, json: boolean): number {
  if (json) process.stdout.write(toErrorJson(error));
  else process.stderr.write(toErrorText(error));
  return error.exitCode;
}
