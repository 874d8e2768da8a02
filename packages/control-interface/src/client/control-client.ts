import * as http from "node:http";
import * as https from "node:https";
import { ControlError } from "../errors/control-error.ts";
import type { HostPolicy } from "../hosts/host-policy.ts";
import { type OperationsResponse, operationsResponseSchema } from "../messages/messages.ts";
import { exactMetadata } from "../reading/exact-numbers.ts";
import { type PythonValue, parsePythonJson } from "../reading/python-json.ts";
import { type ReplyKind, type ReplyReadings, readReply } from "../reading/read-reply.ts";
import type { DataReference } from "../reference/data-reference.ts";
import { type Answer, type ServerAddress, send, toServerAddress } from "./send.ts";

/** How a {@link ControlClient} reaches its service. */
export interface ControlClientOptions {
  /** Base URL of the service, e.g. `http://data-analyzer:8080`; a path in it is kept. */
  base_url: string;
  /** Sent as `Authorization: Bearer`. @default none */
  api_key?: string;
  /** How long one call may take, in ms; a long poll gets its wait on top. @default 30,000 (R-READ-11) */
  call_timeout_ms?: number;
  /** Largest answer taken, in bytes. @default 64 MiB */
  max_reply_bytes?: number;
  /** Which hosts may be called. @default any */
  hosts?: HostPolicy;
  /** Connections kept open to the service while idle. @default 16 */
  max_idle_connections?: number;
}

/** What a single call can be given. */
export interface CallOptions {
  /** Ends the call; it rejects with `aborted`. */
  signal?: AbortSignal;
  /** Seconds the service may hold the answer back until something changes (R-WAIT-01). @default 0 */
  wait_s?: number;
  /** W3C trace context to continue (R-TRACE-01). */
  traceparent?: string;
  /**
   * Your name for what the call belongs to; the service's log has it in every line about the task
   * (R-LOG-02). Where it is not printable ASCII it is percent-encoded, and where it is longer than
   * 256 characters then, it is not sent.
   */
  correlation_id?: string;
}

/** What an execute can be given beside. */
export interface ExecuteOptions extends CallOptions {
  /** Makes it safe to send the same request again (R-IDEM-01). */
  idempotency_key?: string;
}

/** What an orchestrator sends; `inputs` and `parameters` may be left out. */
export interface ExecuteCall {
  method: string;
  workflow_id: string;
  task_id: string;
  inputs?: readonly DataReference[];
  parameters?: Record<string, unknown>;
}

/** What execute came to. */
export type ExecuteAnswer = ReplyReadings["execute"] & {
  /** The task was lost, sending it again makes sense (R-LOST-01). */
  retryable?: boolean;
};

/** A status, and whether the service held it back as asked. */
export interface StatusAnswer {
  reading: ReplyReadings["status"];
  /** `Preference-Applied` was there: poll again at once; without it, wait a while first. */
  waited: boolean;
  /** The task was lost, sending it again makes sense (R-LOST-01). */
  retryable: boolean;
  /** What the operation says it is doing, where the service tells. */
  message?: string;
}

/**
 * Speaks the control interface to one service: keep-alive connections, a time limit on every
 * call, answers read as the deployed orchestrator reads them. Close it when done.
 *
 * Every method rejects with a ControlError: `unreachable`, `timeout`, `aborted`, `peer_refused`
 * (HTTP status of 400 or above; `peer_status` has it) or `invalid_reply`.
 */
export class ControlClient {
  readonly #base: string;
  readonly #address: ServerAddress;
  readonly #options: ControlClientOptions;
  readonly #agent: http.Agent | https.Agent;

  constructor(options: ControlClientOptions) {
    if (!/^https?:\/\//.test(options.base_url) || !URL.canParse(options.base_url)) {
      throw new TypeError(`Expected base_url to be an http or https URL, got "${options.base_url}"`);
    }
    this.#options = options;
    this.#base = options.base_url.replace(/\/+$/, "");
    this.#address = toServerAddress(new URL(this.#base));
    const agentOptions = { keepAlive: true, maxFreeSockets: options.max_idle_connections ?? 16 };
    this.#agent = this.#base.startsWith("https:")
      ? new https.Agent(agentOptions)
      : new http.Agent(agentOptions);
  }

  /** Starts an operation. */
  async execute(call: ExecuteCall, options: ExecuteOptions = {}): Promise<ExecuteAnswer> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (options.idempotency_key !== undefined) headers["idempotency-key"] = options.idempotency_key;
    const body = toExecuteBody(call);
    const answer = await this.#call("POST", "/control/execute", options, headers, body);
    const told = parseJson(answer, parsePythonJson);
    const reading = readBody("execute", told, answer);
    return isRetryable(reading, told) ? { ...reading, retryable: true } : reading;
  }

  /** Asks how a task is doing. */
  async status(id: string, options: CallOptions = {}): Promise<StatusAnswer> {
    const answer = await this.#call("GET", `/control/status/${toPathSegment(id)}`, options);
    const body = parseJson(answer, parsePythonJson);
    const reading = readBody("status", body, answer);
    // Additions beside the fields that every orchestrator reads.
    const { message } = body as { message?: unknown };
    return {
      reading,
      waited: /\bwait\b/.test(String(answer.headers["preference-applied"] ?? "")),
      retryable: isRetryable(reading, body),
      ...(typeof message === "string" && { message }),
    };
  }

  /** Fetches the output of a complete task. */
  async output(id: string, options: CallOptions = {}): Promise<DataReference> {
    const answer = await this.#call("GET", `/control/output/${toPathSegment(id)}`, options);
    return readAnswer("output", answer).output;
  }

  /** Asks the service to stop a task (R-CANCEL-01). A service that does not know how answers 404 or 405. */
  async cancel(id: string, options: CallOptions = {}): Promise<void> {
    await this.#call("POST", `/control/cancel/${toPathSegment(id)}`, options);
  }

  /** What the service says of itself (R-OPS-01). */
  async operations(options: CallOptions = {}): Promise<OperationsResponse> {
    const answer = await this.#call("GET", "/control/operations", options);
    const parsed = operationsResponseSchema.safeParse(parseJson(answer));
    if (parsed.success) return parsed.data;
    throw new ControlError("invalid_reply", `Expected a list of operations. ${parsed.error.message}`, {
      cause: parsed.error,
    });
  }

  /** Resolves when the service lives. */
  async health(options: CallOptions = {}): Promise<void> {
    await this.#call("GET", "/health", options);
  }

  /** Closes idle connections. Running calls end as they would have, and so do their connections. */
  close(): void {
    for (const sockets of Object.values(this.#agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
    this.#agent.maxFreeSockets = 0;
  }

  async #call(
    method: "GET" | "POST",
    path: string,
    { signal, wait_s, traceparent, correlation_id }: CallOptions,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<KeyedAnswer> {
    const { api_key, call_timeout_ms = 30_000, max_reply_bytes = 64 * 2 ** 20, hosts } = this.#options;
    if (api_key !== undefined) headers.authorization = `Bearer ${api_key}`;
    if (traceparent !== undefined) headers.traceparent = traceparent;
    const correlation = correlation_id === undefined ? undefined : toCorrelationHeader(correlation_id);
    if (correlation !== undefined) headers["x-correlation-id"] = correlation;
    if (wait_s !== undefined && wait_s > 0) headers.prefer = `wait=${wait_s}`;
    const sent = await send({
      address: this.#address,
      path,
      method,
      headers: { accept: "application/json", ...headers },
      ...(body !== undefined && { body }),
      agent: this.#agent,
      hosts,
      timeout_ms: call_timeout_ms + (wait_s ?? 0) * 1000,
      max_bytes: max_reply_bytes,
      signal,
    });
    const answer: KeyedAnswer = { ...sent, api_key };
    if (answer.status < 400) return answer;
    const what = `${method} ${this.#base}${path}`;
    throw new ControlError("peer_refused", `${what} answered ${answer.status}${detailOf(answer)}`, {
      peer_status: answer.status,
      ...retryAfter(answer),
    });
  }
}

/** An answer, and the key that was sent for it: what is quoted from the answer must not spread the key. */
interface KeyedAnswer extends Answer {
  api_key: string | undefined;
}

/** The deployed orchestrator sends every field of a reference, the optional ones as null. */
/** Metadata goes out with the numbers that it came with, also those that JavaScript has none for (R-REF-16). */
function toExecuteBody({ inputs = [], ...call }: ExecuteCall): string {
  if (inputs.every((input) => exactMetadata(input) === undefined)) {
    return JSON.stringify({ ...call, inputs: inputs.map(withAllFields) });
  }
  const written = inputs.map((input) => {
    const exact = exactMetadata(input);
    if (exact === undefined) return JSON.stringify(withAllFields(input));
    return `${JSON.stringify({ ...withAllFields(input), metadata: undefined }).slice(0, -1)},"metadata":${exact}}`;
  });
  return `${JSON.stringify(call).slice(0, -1)},"inputs":[${written.join(",")}]}`;
}

function withAllFields(reference: DataReference): Required<DataReference> {
  return { schema_uri: null, size_bytes: null, checksum: null, metadata: {}, ...reference };
}

/** A name that nobody could send must not make the call impossible. */
function toCorrelationHeader(id: string): string | undefined {
  // Through bytes, because encodeURIComponent throws on a lone surrogate.
  const text = /^[\x20-\x7e]*$/.test(id) ? id.trim() : encodeURIComponent(Buffer.from(id).toString());
  return text.length >= 1 && text.length <= 256 ? text : undefined;
}

/** Pasted as it is where that is safe (R-EXEC-08), encoded otherwise. */
function toPathSegment(id: string): string {
  if (id === "" || id === "." || id === "..") {
    throw new ControlError(
      "invalid_reply",
      `Expected a task_id that can stand in a path, found "${id}" (R-EXEC-08)`,
    );
  }
  // Through bytes, because encodeURIComponent throws on a lone surrogate.
  return encodeURIComponent(Buffer.from(id).toString()).replaceAll("%3A", ":");
}

function isRetryable({ status }: { status: string }, body: PythonValue): boolean {
  return status === "failed" && (body as { retryable?: unknown }).retryable === true;
}

function readAnswer<K extends ReplyKind>(kind: K, answer: KeyedAnswer): ReplyReadings[K] {
  return readBody(kind, parseJson(answer, parsePythonJson), answer);
}

function readBody<K extends ReplyKind>(kind: K, body: PythonValue, answer: KeyedAnswer): ReplyReadings[K] {
  const reading = readReply(kind, body);
  if (reading.accepted) return reading.read_as;
  assertQuotable(answer);
  const found = [...new Set(reading.problems.map(({ message, rule }) => `${message} (${rule})`))];
  throw new ControlError("invalid_reply", `Invalid response to ${kind}: ${found.join("; ")}`);
}

function parseJson<T = unknown>(
  answer: KeyedAnswer,
  parse: (body: Buffer) => T = (body) => JSON.parse(String(body)),
): T {
  try {
    return parse(answer.body);
  } catch (error) {
    assertQuotable(answer);
    const message = `Expected JSON in the answer (HTTP ${answer.status}). ${(error as Error).message}`;
    throw new ControlError("invalid_reply", message, { cause: error });
  }
}

/** Objections quote what they found, in part: of an answer that has the key in it nothing can be quoted. */
function assertQuotable({ api_key, body, status }: KeyedAnswer): void {
  if (!api_key || !body.includes(api_key)) return;
  throw new ControlError(
    "invalid_reply",
    `Expected an answer that can be read (HTTP ${status}), found one that is wrong and repeats the caller's key, so that it is not shown; the service must not send keys back`,
  );
}

/** The peer's own words, for people; the key is taken out before the text is cut. */
function detailOf({ body, api_key }: KeyedAnswer): string {
  let detail: unknown = body.toString("utf8");
  try {
    detail = (JSON.parse(String(body)) as { detail?: unknown }).detail ?? detail;
  } catch {
    // Not JSON: its text is all there is to show.
  }
  const text = typeof detail === "string" ? detail : JSON.stringify(detail);
  const shown = api_key ? text.replaceAll(api_key, "[redacted]") : text;
  return shown === "" ? "" : `: ${shown.slice(0, 500)}`;
}

function retryAfter({ headers }: Answer): { retry_after_s?: number } {
  const seconds = Number(headers["retry-after"]);
  return headers["retry-after"] !== undefined && seconds >= 0 ? { retry_after_s: seconds } : {};
}
