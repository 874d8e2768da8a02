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
import { createFileSender, type FileSender, ways } from "../try/send-files.ts";
import { describe, takeOutput } from "../try/take-output.ts";
import { toParameters, unknownParameters } from "../try/to-parameters.ts";
import { UsageError } from "../usage-error.ts";

/** Ctrl-C cancels the task first. */
export const endsItself = true;

/** What a service says of one operation. */
type OperationInfo = OperationsResponse["operations"][number];

/** Runs one operation as an orchestrator would. */
export async function run(args: string[], interrupted: AbortSignal): Promise<number> {
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
      timeout: { type: "string" },
      json: { type: "boolean" },
    },
  });
  const [operation] = positionals;
  if (operation === undefined || positionals.length > 1) {
    throw new UsageError(`Expected one operation, found ${positionals.join(", ") || "none"}`);
  }
  const service = serviceUrl(values.url);
  const way = oneOf("send", values.send, ways);
  const origins = readOrigins(values["origin-map"] ?? []);
  const timeout_s = readSeconds(values.timeout);
  const given = (values.input ?? []).map(parseInput);
  const token = await readToken(values.token);
  const file = values.output === undefined ? undefined : pathOf(values.output);
  const told = await askOperation(service, operation, token);
  const sender = createFileSender({ service, way, host: values["serve-host"] });
  const progress = values.json ? undefined : createProgress(operation, process.stderr);
  let driven: Driven;
  try {
    const sent = await toRequest(given, told, sender);
    driven = await drive({
      service,
      operation,
      ...sent,
      token,
      timeout_s,
      onChange: (task) => progress?.update(task),
      signal: interrupted,
    });
  } finally {
    progress?.end();
    await sender.close();
  }
  const { task, workflow_id, duration_ms } = driven;
  if (driven.cancelled !== undefined)
    throw new CliError("cancelled", "Interrupted", { state: driven.cancelled });
  if (task.status !== "completed") throw toFailure(task, service);
  const [reference] = task.output_refs;
  if (!values.json) {
    const what = reference === undefined ? "no output" : describe(reference);
    process.stderr.write(`${operation} complete in ${(duration_ms / 1000).toFixed(1)} s: ${what}\n`);
  }
  if (reference !== undefined) {
    const output = values.json ? undefined : process.stdout;
    await takeOutput(reference, { file, output, service, token, origins, signal: interrupted });
  } else if (file !== undefined) {
    throw new CliError("output-unreadable", `${operation} completed without an output`, {
      state: `${file} was not written`,
    });
  }
  if (values.json) {
    const result = {
      operation,
      url: service.origin,
      status: "complete",
      workflow_id,
      task_id: task.task_id,
      duration_ms,
      output: reference ?? null,
      file: file ?? null,
    };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  }
  return exitCodes.fine;
}

/** What the service says of the operation; undefined from one that says nothing of itself. */
async function askOperation(
  service: URL,
  name: string,
  token: string | undefined,
): Promise<OperationInfo | undefined> {
  const client = new ControlClient({
    base_url: service.origin,
    ...(token !== undefined && { api_key: token }),
  });
  try {
    const { operations } = await client.operations();
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
    if (!(error instanceof ControlError)) throw error;
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
      inputs.push(await sender.toReference(file));
    }
  }
  const parameters = toParameters(texts, told?.parameters);
  for (const unknown of unknownParameters([...texts.keys()], told?.parameters)) {
    process.stderr.write(`warning: ${told?.name} has ${printable(unknown)}\n`);
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

function readOrigins(given: readonly string[]): Map<string, string> {
  return new Map(
    given.map((one) => {
      const [from = "", to = ""] = one.split("=");
      if (!URL.canParse(from) || !URL.canParse(to)) {
        throw new UsageError(`Expected --origin-map to be http://name:port=http://host:port, found "${one}"`);
      }
      return [new URL(from).origin, new URL(to).origin] as const;
    }),
  );
}
