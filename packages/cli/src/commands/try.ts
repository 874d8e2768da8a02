import { statSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import {
  ControlClient,
  ControlError,
  createInlineReference,
  type DataReference,
  type OperationsResponse,
} from "@aieffect/control-interface";
import type { TaskView } from "@aieffect/orchestrator-lite";
import { oneOf, pathOf } from "../arguments.ts";
import { CliError, type ProblemName } from "../errors/cli-error.ts";
import { exitCodes } from "../exit-codes.ts";
import { nearest } from "../nearest.ts";
import { printable } from "../printable.ts";
import { readToken } from "../read-token.ts";
import { serviceUrl } from "../service-url.ts";
import { type Driven, drive } from "../try/drive.ts";
import { type GivenInput, parseInput } from "../try/parse-input.ts";
import { createProgress } from "../try/progress.ts";
import { createFileSender, type FileSender, type Way, ways } from "../try/send-files.ts";
import { describe, takeOutput } from "../try/take-output.ts";
import { toParameters, unknownParameters } from "../try/to-parameters.ts";
import { UsageError } from "../usage-error.ts";

/** Ctrl-C cancels the task first. */
export const endsItself = true;

/** What a service says of one operation. */
type OperationInfo = OperationsResponse["operations"][number];

/** What the command line asks for. */
interface TryPlan {
  operation: string;
  service: URL;
  given: readonly GivenInput[];
  way: Way;
  serve_host: string | undefined;
  token: string | undefined;
  timeout_s: number;
  /** Where the data of the output goes; undefined for standard output. */
  file: string | undefined;
  origins: ReadonlyMap<string, string>;
  protos: readonly string[];
  json: boolean;
}

/** Runs one operation as an orchestrator would. */
export async function run(args: string[], interrupted: AbortSignal): Promise<number> {
  const plan = await readPlan(args);
  const { operation, service, file, token, origins, protos, json } = plan;
  const driven = await execute(plan, interrupted);
  const { task, duration_ms, cancelled } = driven;
  if (cancelled !== undefined) throw new CliError("cancelled", "Interrupted", { state: cancelled });
  if (task.status !== "completed") throw toFailure(task, service);
  const [reference] = task.output_refs;
  if (!json) {
    const what = reference === undefined ? "no output" : describe(reference);
    process.stderr.write(`${operation} complete in ${(duration_ms / 1000).toFixed(1)} s: ${what}\n`);
  }
  if (reference !== undefined) {
    const output = json ? undefined : process.stdout;
    await takeOutput(reference, { file, output, service, token, origins, protos, signal: interrupted });
  } else if (file !== undefined) {
    const state = `${file} was not written`;
    throw new CliError("output-unreadable", `${operation} completed without an output`, { state });
  }
  if (json) process.stdout.write(`${JSON.stringify(toResult(plan, driven), null, 2)}\n`);
  return exitCodes.fine;
}

async function readPlan(args: string[]): Promise<TryPlan> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      input: { type: "string", short: "i", multiple: true },
      output: { type: "string", short: "o" },
      url: { type: "string" },
      token: { type: "string" },
      send: { type: "string" },
      "serve-host": { type: "string" },
      "origin-map": { type: "string", multiple: true },
      proto: { type: "string", multiple: true },
      timeout: { type: "string" },
      json: { type: "boolean" },
    },
  });
  const [operation] = positionals;
  if (operation === undefined || positionals.length > 1) {
    throw new UsageError(`Expected one operation, found ${positionals.join(", ") || "none"}`);
  }
  return {
    operation,
    service: serviceUrl(values.url),
    given: (values.input ?? []).map(parseInput),
    way: oneOf("send", values.send, ways),
    serve_host: values["serve-host"],
    token: await readToken(values.token),
    timeout_s: readSeconds(values.timeout),
    file: readTarget(values.output),
    origins: readOrigins(values["origin-map"] ?? []),
    protos: readProtos(values.proto ?? []),
    json: values.json ?? false,
  };
}

/** The task from execute to its end; what it is to fetch from here is served as long. */
async function execute(plan: TryPlan, interrupted: AbortSignal): Promise<Driven> {
  const { operation, service, token, timeout_s } = plan;
  const told = await askOperation(plan, interrupted);
  const sender = createFileSender({ service, way: plan.way, host: plan.serve_host });
  const progress = plan.json ? undefined : createProgress(operation, process.stderr);
  try {
    const sent = await toRequest(plan.given, told, sender);
    const onChange = (task: TaskView) => progress?.update(task);
    return await drive({ service, operation, ...sent, token, timeout_s, onChange, signal: interrupted });
  } finally {
    progress?.end();
    await sender.close();
  }
}

/** Everything that programs want to know of a task that is complete. */
function toResult({ operation, service, file }: TryPlan, { workflow_id, task, duration_ms }: Driven) {
  const { task_id, output_refs } = task;
  return {
    operation,
    url: service.origin,
    status: "complete",
    workflow_id,
    task_id,
    duration_ms,
    output: output_refs[0] ?? null,
    file: file ?? null,
  };
}

/** What the service says of the operation; undefined from one that says nothing of itself. */
async function askOperation(
  { service, operation: name, token }: TryPlan,
  signal: AbortSignal,
): Promise<OperationInfo | undefined> {
  const client = new ControlClient({
    base_url: service.origin,
    ...(token !== undefined && { api_key: token }),
  });
  try {
    const { operations } = await client.operations({ signal });
    const found = operations.find((operation) => operation.name === name);
    if (found !== undefined) return found;
    const names = operations.map((operation) => operation.name);
    const meant = nearest(name, names);
    throw new CliError(
      "unknown-operation",
      `${service.origin} has no operation "${name}"; it has: ${names.join(", ")}`,
      {
        state: "nothing was executed",
        ...(meant !== undefined && { fixes: [`aieffect try ${meant}`] }),
      },
    );
  } catch (error) {
    if (!(error instanceof ControlError) || error.code === "aborted") throw error;
    // A deployed service has no such path; what it is will show when it is called.
    const { code, peer_status = 0 } = error;
    if (code === "invalid_reply" || (code === "peer_refused" && peer_status !== 401)) return undefined;
    if (code === "peer_refused") throw needsKey(error.message);
    throw isOtherProtocol(error) ? otherProtocol(error.message) : notThere(error.message, service);
  } finally {
    client.close();
  }
}

/** Data and parameters as they are sent. */
async function toRequest(
  given: readonly GivenInput[],
  told: OperationInfo | undefined,
  sender: FileSender,
): Promise<{ inputs: DataReference[]; parameters: Record<string, unknown> }> {
  const inputs: DataReference[] = [];
  const texts = new Map<string, string>();
  for (const one of given) {
    if (one.kind === "parameter") texts.set(one.name, one.text);
    else if (one.kind === "reference") inputs.push(one.reference);
    else {
      // A single port stands for all inputs.
      const port = told?.inputs[inputs.length] ?? (told?.inputs.length === 1 ? told.inputs[0] : undefined);
      const file = { ...one, path: pathOf(one.path), protocols: port?.protocols ?? [] };
      const taken = port?.formats ?? [];
      if (taken.length > 0 && !taken.includes(one.format)) {
        const hint = `${one.path};format=${taken[0]} says that it is some`;
        process.stderr.write(
          `warning: ${told?.name} takes ${printable(taken.join(", "))}, found ${one.format}; ${hint}\n`,
        );
      }
      inputs.push(await sender.toReference(file));
    }
  }
  const parameters = toParameters(texts, told?.parameters);
  for (const unknown of unknownParameters([...texts.keys()], told?.parameters)) {
    process.stderr.write(`warning: ${told?.name} has ${printable(unknown)}\n`);
  }
  for (const [name, text] of texts) {
    const isUnknown = unknownParameters([name], told?.parameters).length > 0;
    // An @ that was forgotten.
    if (isUnknown && statSync(pathOf(text), { throwIfNoEntry: false })?.isFile()) {
      process.stderr.write(
        `warning: ${printable(text)} is a file; to send it: -i ${printable(`${name}=@${text}`)}\n`,
      );
    }
  }
  if (told !== undefined || Object.keys(parameters).length === 0) return { inputs, parameters };
  // The deployed orchestrator never sends parameters, so deployed services take them as an inline input (R-EXEC-03).
  return { inputs: [...inputs, createInlineReference(JSON.stringify(parameters), "json")], parameters: {} };
}

/** Why a task is not complete, and whose fault that is. */
function toFailure({ error, failure, task_id }: TaskView, service: URL): CliError {
  const message = printable(error ?? "The task failed without saying why");
  if (failure === "unreachable" || failure === "timeout") return notThere(message, service);
  if (failure === "rejected" && message.includes(" answered 401")) return needsKey(message);
  if (failure === "rejected" && / answered 40[45]/.test(message)) return otherProtocol(message);
  const named: Partial<Record<NonNullable<typeof failure>, ProblemName>> = {
    invalid_reply: "reply-invalid",
    forgotten: "reply-invalid",
    limit: "task-too-long",
    rejected: "service-refused",
    unavailable: "service-refused",
  };
  const problem = named[failure ?? "failed"] ?? "task-failed";
  const fixes = problem === "reply-invalid" ? ["aieffect test, for what else it answers"] : [];
  return new CliError(problem, message, { state: `task ${task_id} at ${service.origin} is failed`, fixes });
}

function needsKey(message: string): CliError {
  return new CliError("service-refused", printable(message), {
    state: "nothing was executed",
    fixes: ["--token env:SERVICE_API_KEY", "--token file:PATH"],
  });
}

/** Whether what came back is no HTTP at all: a gRPC port, or one of TLS. */
function isOtherProtocol({ cause }: ControlError): boolean {
  return String((cause as NodeJS.ErrnoException | undefined)?.code).startsWith("HPE_");
}

function otherProtocol(message: string): CliError {
  return new CliError("wrong-protocol", printable(message), {
    state: "something answers there, but not as a service does",
    fixes: ["--url with the port of its control interface, not that of gRPC or of another server"],
  });
}

function notThere(message: string, service: URL): CliError {
  return new CliError("service-unreachable", printable(message), {
    fixes: ["aieffect dev", `--url http://host:port, if it is not ${service.origin}`],
  });
}

/** So long a task may take unless told otherwise, in seconds. */
const usual_s = 3600;

function readSeconds(text: string | undefined): number {
  const seconds = Number(text ?? usual_s);
  if (seconds > 0 && seconds <= 30 * 24 * 3600) return seconds;
  throw new UsageError(`Expected --timeout to be seconds up to 30 days, found "${text}"`);
}

/** A file that can be; whether it can is better known before a long task than after it. */
function readTarget(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const file = pathOf(given);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`Expected -o to be a file, found the folder ${given}`);
  }
  if (statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory()) return file;
  throw new UsageError(`Expected -o to be a file in a folder that is there, found ${given}`);
}

/** Looked at before anything is executed: without them the output could not be read. */
function readProtos(given: readonly string[]): string[] {
  return given.map((one) => {
    const file = pathOf(one);
    if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
    throw new CliError("input-unreadable", `Expected --proto to be a .proto file, found none at ${one}`, {
      state: "nothing was executed",
    });
  });
}

function readOrigins(given: readonly string[]): Map<string, string> {
  return new Map(
    given.map((one) => {
      const [from, to] = one.split("=").map(originOf);
      if (from !== undefined && to !== undefined) return [from, to] as const;
      throw new UsageError(
        `Expected --origin-map to be http://name:port=http://host:port, or the same with grpc://; found "${one}"`,
      );
    }),
  );
}

/** Scheme, host and port of a URL; of gRPC, for which URLs know no origins, as well. */
function originOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, origin } = new URL(text);
  if (protocol === "grpc:") return host === "" ? undefined : `grpc://${host}`;
  return /^https?:$/.test(protocol) ? origin : undefined;
}
