import { writeSync } from "node:fs";
import { exitCodes } from "./exit-codes.ts";
import { helpOf } from "./help.ts";
import { UsageError } from "./usage-error.ts";

/** Each loads only what it needs. */
const commands: Readonly<Record<string, () => Promise<{ run(args: string[]): Promise<number> }>>> = {
  check: () => import("./commands/check.ts"),
  export: () => import("./commands/export.ts"),
  "export compose": () => import("./commands/export-compose.ts"),
  "build-script": () => import("./commands/build-script.ts"),
  import: () => import("./commands/import.ts"),
  graph: () => import("./commands/graph.ts"),
};

// What is half-written goes away as the process exits.
process.on("SIGINT", () => process.exit(exitCodes.interrupted));
process.on("SIGTERM", () => process.exit(exitCodes.terminated));
for (const stream of [process.stdout, process.stderr]) stream.on("error", giveUp);
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  // Package managers hand on the "--" that stands before a script's arguments.
  const [first, ...rest] = argv[0] === "--" ? argv.slice(1) : argv;
  const [name, args] =
    first === "export" && rest[0] === "compose" ? ["export compose", rest.slice(1)] : [first, rest];
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    const text = helpOf(args.join(" "));
    if (name !== undefined) process.stdout.write(text);
    else process.stderr.write(text);
    return name === undefined ? exitCodes.usage : exitCodes.fine;
  }
  const load = commands[name];
  if (load === undefined) {
    process.stderr.write(
      `Expected a command, one of ${Object.keys(commands).join(", ")}, found "${name}"; see aieffect --help\n`,
    );
    return exitCodes.usage;
  }
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(helpOf(name));
    return exitCodes.fine;
  }
  try {
    return await (await load()).run(args);
  } catch (error) {
    // Loaded by the command already; help and usage do without.
    const { ProblemsError, toText } = await import("@aieffect/onboarding");
    if (error instanceof ProblemsError) {
      process.stderr.write(toText(error.problems));
      return exitCodes.invalidDocument;
    }
    const { message, code = "" } = error as NodeJS.ErrnoException;
    // Options that make no sense; other errors of these kinds are mistakes of the program.
    const isOption =
      (error instanceof RangeError || error instanceof TypeError) && message.startsWith("Expected ");
    const isUsage = error instanceof UsageError || isOption || code.startsWith("ERR_PARSE_ARGS");
    process.stderr.write(`${message}${isUsage ? `\nSee: aieffect ${name} --help` : ""}\n`);
    return isUsage ? exitCodes.usage : exitCodes.failed;
  }
}

/** Nobody reads on, as with `| head`, or what reads cannot take more. */
function giveUp({ code, message }: NodeJS.ErrnoException): void {
  process.exitCode = exitCodes.failed;
  if (code !== "EPIPE") writeSync(2, `Could not write the output: ${message}\n`);
  process.exit();
}
