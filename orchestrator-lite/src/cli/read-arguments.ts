import { parseArgs } from "node:util";
import { UsageError } from "./usage-error.ts";

const shared = {
  "call-timeout": { type: "string" },
  "task-timeout": { type: "string" },
  "allow-host": { type: "string", multiple: true },
  help: { type: "boolean", short: "h" },
} as const;

/** Limits that both commands take, as `createOrchestrator` takes them. */
interface CommonArguments {
  call_timeout_s?: number;
  task_timeout_s?: number;
  allow_hosts?: string[];
}

/** The arguments of `serve`. */
export interface ServeArguments {
  command: "serve";
  host?: string;
  port?: number;
  limits: CommonArguments;
}

/** The arguments of `run`. */
export interface RunArguments {
  command: "run";
  blueprint: string;
  dockerinfo: string;
  inputs: string[];
  /** Parameters by node: a JSON object, or the path of a file that holds one. */
  parameters?: string;
  services_api_key_env?: string;
  timeout_s?: number;
  json: boolean;
  limits: CommonArguments;
}

/** The arguments of `conformance`: those of that command, as they stand. */
export interface ConformanceArguments {
  command: "conformance";
  args: readonly string[];
}

/** Someone wants to read instead. */
export interface HelpArguments {
  command: "help";
  of: string | undefined;
}

/** Reads the command line after the program's name. @throws UsageError */
export function readArguments(
  argv: readonly string[],
): ServeArguments | RunArguments | ConformanceArguments | HelpArguments {
  // Package managers hand on the "--" that stands before a script's arguments.
  const [command, ...args] = argv[0] === "--" ? argv.slice(1) : argv;
  if (command === "--help" || command === "-h" || command === "help") return { command: "help", of: args[0] };
  if (command === "serve") return readServe(args);
  if (command === "run") return readRun(args);
  if (command === "conformance") return { command, args };
  const found = command === undefined ? "nothing" : `"${command}"`;
  throw new UsageError(
    `Expected the command serve, run or conformance, found ${found}; see aieffect-orchestrator --help`,
  );
}

function readServe(args: string[]): ServeArguments | HelpArguments {
  const options = { ...shared, host: { type: "string" }, port: { type: "string" } } as const;
  const { values } = explained("serve", () => parseArgs({ args, options }));
  if (values.help) return { command: "help", of: "serve" };
  const port = toNumber("port", values.port);
  return {
    command: "serve",
    ...(values.host !== undefined && { host: values.host }),
    ...(port !== undefined && { port }),
    limits: toLimits(values),
  };
}

function readRun(args: string[]): RunArguments | HelpArguments {
  const options = {
    ...shared,
    input: { type: "string", multiple: true },
    parameters: { type: "string" },
    "services-api-key-env": { type: "string" },
    timeout: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values, positionals } = explained("run", () =>
    parseArgs({ args, options, allowPositionals: true }),
  );
  if (values.help) return { command: "help", of: "run" };
  const [blueprint, dockerinfo] = positionals;
  if (blueprint === undefined || dockerinfo === undefined || positionals.length > 2) {
    throw new UsageError(
      `Expected two files, the blueprint and the dockerinfo, found ${positionals.length}; see aieffect-orchestrator run --help`,
    );
  }
  const key = values["services-api-key-env"];
  const timeout_s = toNumber("timeout", values.timeout);
  return {
    command: "run",
    blueprint,
    dockerinfo,
    inputs: values.input ?? [],
    json: values.json ?? false,
    ...(values.parameters !== undefined && { parameters: values.parameters }),
    ...(key !== undefined && { services_api_key_env: key }),
    ...(timeout_s !== undefined && { timeout_s }),
    limits: toLimits(values),
  };
}

interface CommonValues {
  "call-timeout"?: string;
  "task-timeout"?: string;
  "allow-host"?: string[];
}

function toLimits(values: CommonValues): CommonArguments {
  const call_timeout_s = toNumber("call-timeout", values["call-timeout"]);
  const task_timeout_s = toNumber("task-timeout", values["task-timeout"]);
  return {
    ...(call_timeout_s !== undefined && { call_timeout_s }),
    ...(task_timeout_s !== undefined && { task_timeout_s }),
    ...(values["allow-host"] !== undefined && { allow_hosts: values["allow-host"] }),
  };
}

function toNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new UsageError(`Expected --${option} to be a number, found "${text}"`);
}

/** The parser's complaint, with where to look. */
function explained<T>(command: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; see aieffect-orchestrator ${command} --help`, {
      cause: error,
    });
  }
}
