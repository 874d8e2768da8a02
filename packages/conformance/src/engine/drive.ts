import {
  type DataReference,
  judgeReply,
  type ReplyKind,
  type ReplyReadings,
  type Verdict,
} from "@aieffect/control-interface";
import type { Sample } from "../target/sample.ts";
import type { Exchange } from "../wire/exchange.ts";
import type { Wire } from "../wire/send.ts";

/** How a driven task ended, seen as the orchestrator sees it. */
type RunEnd =
  | "complete"
  | "failed"
  /** Refused with HTTP 400 or above. */
  | "refused"
  /** Still running when its time was up. */
  | "stuck"
  /** A reply that the orchestrator does not take, or none. */
  | "broken";

/** One task, driven as the orchestrator drives it. */
export interface Run {
  sample: Sample;
  workflow_id: string;
  task_id: string;
  execute: Exchange;
  /** What `running` was answered with; undefined when execute ended the task. */
  handle: string | undefined;
  polls: Exchange[];
  output_call: Exchange | undefined;
  end: RunEnd;
  error: string | undefined;
  /** Of a complete task that has one. */
  reference: DataReference | undefined;
  /** The reply that ended it. */
  last: Exchange;
}

/** What one driven task differs in. */
export interface DriveOptions {
  workflow_id?: string;
  task_id?: string;
  /** Members of the request beside or instead of the usual ones; undefined takes one away. */
  override?: Readonly<Record<string, unknown>>;
  headers?: Readonly<Record<string, string | readonly string[] | null>>;
  fresh?: boolean;
  /** @default the harness's poll interval */
  poll_interval_ms?: number;
  /** @default the sample's own */
  max_duration_ms?: number;
  /** Called after every poll. */
  onPoll?: (poll: Exchange) => void;
}

/** Drives tasks over a wire. */
export interface Driver {
  /** The request that the deployed orchestrator would send, as an object. */
  request(sample: Sample, options?: DriveOptions): Record<string, unknown>;
  /** Only the call to execute. */
  execute(sample: Sample, options?: DriveOptions): Promise<Exchange>;
  status(handle: string, options?: { fresh?: boolean; timeout_ms?: number }): Promise<Exchange>;
  output(handle: string, options?: { fresh?: boolean }): Promise<Exchange>;
  /** Execute, then poll to the end, then output. */
  run(sample: Sample, options?: DriveOptions): Promise<Run>;
  /** Polls one that runs to its end, and fetches its output. */
  follow(sample: Sample, execute: Exchange, options?: DriveOptions): Promise<Run>;
}

/** What a driver needs. */
export interface DriverOptions {
  wire: Wire;
  poll_interval_ms: number;
  /** A new id each time. */
  nextId(prefix: string): string;
  /** Inputs with their uris filled in. */
  inputsOf(sample: Sample): readonly Record<string, unknown>[];
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What the orchestrator reads out of a reply; undefined where there is none or it does not take it. */
export function judge<K extends ReplyKind>(exchange: Exchange, kind: K): Verdict<K> | undefined {
  if (exchange.reply === undefined) return undefined;
  if (exchange.judged !== undefined && exchange.kind === kind) return exchange.judged as Verdict<K>;
  return judgeReply({ kind, status: exchange.reply.status, body: exchange.reply.body });
}

/** As {@link judge}, but only what it read. */
export function readAs<K extends ReplyKind>(exchange: Exchange, kind: K): ReplyReadings[K] | undefined {
  return judge(exchange, kind)?.read_as;
}

export function createDriver({ wire, poll_interval_ms, nextId, inputsOf }: DriverOptions): Driver {
  function request(sample: Sample, options: DriveOptions = {}): Record<string, unknown> {
    const body: Record<string, unknown> = {
      method: sample.method,
      workflow_id: options.workflow_id ?? nextId("wf"),
      task_id: options.task_id ?? nextId("task"),
      inputs: inputsOf(sample).map((input) => ({
        schema_uri: null,
        size_bytes: null,
        checksum: null,
        metadata: {},
        ...input,
      })),
      ...(sample.parameters !== undefined && { parameters: sample.parameters }),
      ...options.override,
    };
    return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
  }

  function execute(sample: Sample, options: DriveOptions = {}): Promise<Exchange> {
    // What fails may be refused as well as answered `failed` (C08).
    return send(request(sample, options), options, sample.expect === "failed");
  }

  function send(
    body: Record<string, unknown>,
    { headers, fresh = false }: DriveOptions,
    may_be_5xx: boolean,
  ): Promise<Exchange> {
    return wire.send({
      method: "POST",
      path: "/control/execute",
      body,
      kind: "execute",
      valid: true,
      fresh,
      may_be_5xx,
      ...(headers && { headers }),
    });
  }

  const status: Driver["status"] = (handle, options = {}) =>
    wire.send({ path: `/control/status/${handle}`, kind: "status", valid: true, ...options });
  const output: Driver["output"] = (handle, options = {}) =>
    wire.send({ path: `/control/output/${handle}`, kind: "output", valid: true, ...options });

  async function run(sample: Sample, options: DriveOptions = {}): Promise<Run> {
    const workflow_id = options.workflow_id ?? nextId("wf");
    const task_id = options.task_id ?? nextId("task");
    const named = { ...options, workflow_id, task_id };
    return follow(sample, await execute(sample, named), named);
  }

  async function follow(sample: Sample, execute: Exchange, options: DriveOptions = {}): Promise<Run> {
    const sent = sentIds(execute);
    const base = {
      sample,
      ...sent,
      execute,
      polls: [] as Exchange[],
      handle: undefined,
      output_call: undefined,
    };
    const over = (end: RunEnd, last: Exchange, more: Partial<Run> = {}): Run => ({
      ...base,
      end,
      error: undefined,
      reference: undefined,
      last,
      ...more,
    });
    const first = readAs(execute, "execute");
    if (first === undefined) {
      const isRefusal = (execute.reply?.status ?? 0) >= 400;
      return over(isRefusal ? "refused" : "broken", execute);
    }
    if (first.status === "complete") return over("complete", execute, { reference: first.output });
    if (first.status === "failed") return over("failed", execute, { error: first.error });
    const handle = first.task_id;
    if (!handle) return over("broken", execute);
    const deadline = performance.now() + (options.max_duration_ms ?? sample.max_duration_ms);
    const { poll_interval_ms: interval = poll_interval_ms, fresh = false, onPoll } = options;
    const { polls } = base;
    for (;;) {
      const poll = await status(handle, { fresh });
      polls.push(poll);
      onPoll?.(poll);
      const reading = readAs(poll, "status");
      if (reading === undefined) return over("broken", poll, { handle });
      if (reading.status === "failed") return over("failed", poll, { handle, error: reading.error });
      if (reading.status === "complete") {
        const output_call = await output(handle, { fresh });
        const reference = readAs(output_call, "output")?.output;
        const end = reference === undefined ? "broken" : "complete";
        return over(end, output_call, { handle, output_call, reference });
      }
      if (performance.now() > deadline) return over("stuck", poll, { handle });
      await pause(interval);
    }
  }

  return { request, execute, status, output, run, follow };
}

function sentIds({ request }: Exchange): { workflow_id: string; task_id: string } {
  try {
    const { workflow_id, task_id } = JSON.parse(request.body.toString());
    return { workflow_id: String(workflow_id), task_id: String(task_id) };
  } catch {
    // A case sent something else on purpose.
    return { workflow_id: "", task_id: "" };
  }
}
