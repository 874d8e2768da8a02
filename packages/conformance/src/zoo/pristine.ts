/**
 * A whole service in plain Node, without our kit: small, and right in every point that the suite
 * checks. The mutants are this service with one fault each, put in through its hooks.
 */
import { createHash, createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { isAbsolute, join, relative, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** A reference as it travels. */
export interface Reference {
  protocol: string;
  uri: string;
  format: string;
  size_bytes?: number | null;
  checksum?: string | null;
  [field: string]: unknown;
}

/** The body of a call to execute, checked. */
export interface ExecuteBody {
  method: string;
  workflow_id: string;
  task_id: string;
  inputs: Reference[];
  parameters: Record<string, unknown>;
}

/** One execution. */
export interface Task {
  handle: string;
  body: ExecuteBody;
  status: "running" | "complete" | "failed";
  progress: number;
  error: string | null;
  output: Reference | null;
  payload: Buffer | undefined;
  /** Counts changes of status and progress. */
  changes: { status: string; progress: number; error: string | null }[];
  idempotency_keys: string[];
  abort: AbortController;
  /** Called, and forgotten, at the next change. */
  listeners: Set<() => void>;
}

/** One call. */
export interface Call {
  method: string;
  /** Without query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** As it came; the body of a call that has none is empty. */
  body: Buffer;
  /** Node's own, for faults below HTTP. */
  response: ServerResponse;
}

/** What a call is answered with; `stream` writes the whole response itself. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Buffers and texts as they are, anything else as JSON. */
  body?: unknown;
  stream?: (response: ServerResponse) => void;
}

/** What a method makes of its inputs. */
export interface Made {
  bytes: Buffer;
  format: string;
  as: "inline" | "http" | "file" | "none";
}

/** Where a fault can be put in; each hook wraps one step of the service. */
export interface Hooks {
  /** Around everything that HTTP has understood. */
  call?(call: Call, next: (call?: Call) => Promise<Answer>): Promise<Answer>;
  /** Around the reading of an execute body; what it throws is the detail of a 422. */
  readBody?(body: Buffer, next: (body?: Buffer) => ExecuteBody): ExecuteBody;
  /** Whether a call may come in. */
  authorize?(call: Call, next: () => boolean): boolean;
  /** A new execution's handle. */
  handle?(body: ExecuteBody, next: () => string): string;
  /** Which task an id names. */
  find?(id: string, next: (id?: string) => Task | undefined): Task | undefined;
  /** Around the work of one task; `report` tells progress. */
  work?(task: Task, next: () => Promise<Made>, report: (progress: number) => void): Promise<Made>;
  /** Around the reading of one input. */
  input?(reference: Reference, next: (reference?: Reference) => Promise<Buffer>): Promise<Buffer>;
  /** Around the making of the reference to what was made. */
  publish?(task: Task, made: Made, next: () => Promise<Reference | null>): Promise<Reference | null>;
  /** Around the change that ends a task. */
  end?(task: Task, change: Partial<Task>, next: (change?: Partial<Task>) => void): void;
  /** Whether a known task answers a second, equal call (safe retry). */
  retry?(task: Task, key: string | undefined, next: () => Task | undefined): Task | undefined;
  /** Around node's server, before it listens. */
  server?(server: Server, service: PristineState): void;
}

/** What the hooks may look at. */
export interface PristineState {
  /** By handle, oldest first. */
  tasks: Map<string, Task>;
  share: string;
  url(): string;
}

/** How the service is started. */
export interface PristineOptions {
  /** Asked of every call but /health. */
  token?: string | undefined;
  /** @default 0, a free one */
  port?: number | undefined;
  /** An address of loopback. @default "127.0.0.1" */
  host?: string | undefined;
  /** Extensions that it has and declares. @default all */
  extensions?: readonly string[];
  /** @default true */
  self_description?: boolean;
  /** 1 is real time; less makes its tasks quicker. @default 1 */
  time_scale?: number;
  hooks?: Hooks;
  /** An existing folder for its files. @default one of its own, which goes when it closes */
  share?: string | undefined;
}

/** A service that listens. */
export interface RunningPristine extends PristineState {
  url(): string;
  token: string | undefined;
  close(): Promise<void>;
}

/** All that it has. */
export const allExtensions = ["wait", "events", "idempotency", "cancel"] as const;

const longestBody = 16 * 2 ** 20;
const mediaTypes: Record<string, string> = { json: "application/json", csv: "text/csv" };

class Refusal extends Error {
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Record<string, string>;

  constructor(status: number, detail: unknown, headers: Record<string, string> = {}) {
    super(String(detail));
    this.status = status;
    this.detail = detail;
    this.headers = headers;
  }
}

/** Starts it on loopback. */
export async function startPristine(options: PristineOptions = {}): Promise<RunningPristine> {
  const { token, hooks = {}, time_scale = 1 } = options;
  const extensions = options.extensions ?? allExtensions;
  const has = (name: string) => extensions.includes(name);
  const tasks = new Map<string, Task>();
  const share = options.share ?? (await mkdtemp(join(tmpdir(), "aieffect-pristine-")));
  const { host = "127.0.0.1" } = options;
  const origin = () =>
    `http://${host.includes(":") ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;
  const state: PristineState = { tasks, share, url: origin };

  const hooked =
    <A extends unknown[], R>(
      hook: ((...args: [...A, (...again: never[]) => R]) => R) | undefined,
      step: (...args: A) => R,
    ) =>
    (...args: A): R =>
      hook === undefined
        ? step(...args)
        : hook(...args, (...again: never[]) =>
            step(...([...again, ...args.slice(again.length)] as unknown as A)),
          );

  const find = hooked(hooks.find?.bind(hooks) as never, (id: string): Task | undefined => {
    return tasks.get(id) ?? [...tasks.values()].findLast(({ body }) => body.task_id === id);
  });
  const readBody = hooked(hooks.readBody?.bind(hooks) as never, (bytes: Buffer): ExecuteBody => {
    let body: unknown;
    try {
      body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw new Refusal(422, [{ loc: ["body"], msg: "expected JSON", type: "json_invalid" }]);
    }
    const issues: unknown[] = [];
    const given = (body !== null && typeof body === "object" ? body : {}) as Record<string, unknown>;
    const wrong = (name: string, msg: string) =>
      issues.push({ loc: ["body", name], msg, type: "value_error" });
    if (body === null || typeof body !== "object" || Array.isArray(body)) wrong("", "expected an object");
    for (const name of ["method", "workflow_id", "task_id"]) {
      if (typeof given[name] !== "string" || given[name] === "")
        wrong(name, "expected a text that is not empty");
    }
    const { inputs = [], parameters = {} } = given;
    if (!Array.isArray(inputs)) wrong("inputs", "expected a list");
    else for (const input of inputs) if (objection(input)) wrong("inputs", objection(input) as string);
    if (parameters === null || typeof parameters !== "object" || Array.isArray(parameters))
      wrong("parameters", "expected an object");
    if (issues.length > 0) throw new Refusal(422, issues);
    const { method, workflow_id, task_id } = given as Record<string, string>;
    return { method, workflow_id, task_id, inputs, parameters } as ExecuteBody;
  });
  const authorize = hooked(hooks.authorize?.bind(hooks) as never, ({ headers }: Call): boolean => {
    if (token === undefined) return true;
    const given = /^bearer ([^\s].*)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
    const digest = (text: string) => createHash("sha256").update(text).digest();
    return timingSafeEqual(digest(given), digest(token));
  });
  const newHandle = hooked(hooks.handle?.bind(hooks) as never, (_body: ExecuteBody): string => randomUUID());
  const readInput = hooked(hooks.input?.bind(hooks) as never, async (input: Reference): Promise<Buffer> => {
    if (input.protocol === "inline") return Buffer.from(input.uri, "base64");
    if (input.protocol === "http") return fetchInput(input.uri);
    if (input.protocol !== "file") throw new Error(`Protocol ${input.protocol} is not read here`);
    const path = resolve(share, input.uri.replace(/^file:\/\//, ""));
    const inside = relative(share, path);
    if (inside.startsWith("..") || isAbsolute(inside)) throw new Error("The path lies outside the share");
    return readFile(path).catch(() => {
      throw new Error("The input file cannot be read");
    });
  });

  async function fetchInput(uri: string): Promise<Buffer> {
    const response = await fetch(uri, {
      signal: AbortSignal.timeout(5000 * time_scale + 200),
      redirect: "follow",
    });
    if (response.status !== 200) throw new Error(`The input answered ${response.status}`);
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of response.body ?? []) {
      size += piece.length;
      if (size > longestBody) throw new Error("The input is too large");
      pieces.push(piece);
    }
    const announced = response.headers.get("content-length");
    // A compressed body is longer when it has been read.
    const isPlain = response.headers.get("content-encoding") === null;
    if (isPlain && announced !== null && Number(announced) !== size) throw new Error("The input was cut");
    return Buffer.concat(pieces);
  }

  const publish = hooked(
    hooks.publish?.bind(hooks) as never,
    async (task: Task, made: Made): Promise<Reference | null> => {
      const { bytes, format, as } = made;
      if (as === "none") return null;
      const checksum = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      const rest = { format, size_bytes: bytes.length, checksum, metadata: {} };
      if (as === "inline") return { protocol: "inline", uri: bytes.toString("base64"), ...rest };
      if (as === "file") {
        const path = join(share, `${task.handle}.${format}`);
        await writeFile(path, bytes);
        return { protocol: "file", uri: path, ...rest };
      }
      task.payload = bytes;
      // Peers have no token of ours: the URL carries a right to this one payload (R-SIGN-01).
      const expires = Math.floor(Date.now() / 1000) + 86_400;
      const query =
        token === undefined
          ? ""
          : `?expires=${expires}&signature=${signatureOf(task.handle, String(expires))}`;
      return { protocol: "http", uri: `${origin()}/control/data/${task.handle}${query}`, ...rest };
    },
  );

  function signatureOf(handle: string, expires: string): string {
    return createHmac("sha256", token ?? "")
      .update(`${handle} ${expires}`)
      .digest("hex");
  }

  /** A payload's URL as this service gave it. */
  function isSigned({ path, query }: Call): boolean {
    const handle = /^\/control\/data\/([^/]+)$/.exec(path)?.[1];
    const expires = query.get("expires") ?? "";
    const isDue = Number(expires) * 1000 > Date.now();
    return handle !== undefined && isDue && query.get("signature") === signatureOf(decode(handle), expires);
  }

  /** What the methods make, from their inputs and parameters alone. */
  async function make(task: Task, report: (progress: number) => void): Promise<Made> {
    const { method, inputs, parameters } = task.body;
    const read: unknown[] = [];
    for (const input of inputs) {
      const bytes = await readInput(input);
      if (input.format === "json") {
        try {
          read.push(JSON.parse(bytes.toString()));
        } catch {
          throw new Error("Expected the input to be JSON");
        }
      } else read.push(bytes.toString());
    }
    if (method === "Train" || (method === "Echo" && parameters.ms !== undefined)) {
      const total = Number(parameters.ms ?? 2200) * time_scale;
      const steps = Number(parameters.steps ?? 10);
      for (let step = 1; step <= steps; step++) {
        await pause(total / steps, undefined, { signal: task.abort.signal });
        if (step < steps) report(Math.floor((step * 100) / steps));
      }
      if (parameters.fail === true) throw new Error("The training was asked to fail");
    }
    const text = JSON.stringify({ method, read, parameters });
    const as =
      method === "Sink" ? "none" : method === "Load" ? "http" : method === "Save" ? "file" : "inline";
    return { bytes: Buffer.from(text), format: "json", as };
  }

  function report(task: Task, progress: number): void {
    if (task.status !== "running" || progress <= task.progress) return;
    task.progress = progress;
    changed(task);
  }

  function changed(task: Task): void {
    const { status, progress, error } = task;
    task.changes.push({ status, progress, error });
    const listeners = [...task.listeners];
    task.listeners.clear();
    // They may listen again.
    for (const listener of listeners) listener();
  }

  const endTask = hooked(hooks.end?.bind(hooks) as never, (task: Task, change: Partial<Task>): void => {
    if (task.status !== "running") return;
    Object.assign(task, change, change.status === "complete" && { progress: 100 });
    changed(task);
  });

  async function perform(task: Task): Promise<void> {
    const tell = (progress: number) => report(task, progress);
    try {
      const next = () => make(task, tell);
      const made = await (hooks.work === undefined ? next() : hooks.work(task, next, tell));
      const output = await publish(task, made);
      endTask(task, { status: "complete", output });
    } catch (error) {
      endTask(task, { status: "failed", error: (error as Error).message || "failed without a reason" });
    }
  }

  const equal = (one: ExecuteBody, other: ExecuteBody) => JSON.stringify(one) === JSON.stringify(other);

  const known = hooked(
    hooks.retry?.bind(hooks) as never,
    (candidate: Task, key: string | undefined): Task | undefined => {
      const { workflow_id, task_id } = candidate.body;
      const same = [...tasks.values()].filter(
        ({ body }) => body.workflow_id === workflow_id && body.task_id === task_id,
      );
      const keyed =
        key === undefined ? undefined : same.find(({ idempotency_keys }) => idempotency_keys.includes(key));
      if (keyed !== undefined && !equal(keyed.body, candidate.body)) {
        throw new Refusal(422, "The Idempotency-Key was used with another body");
      }
      return (
        keyed ?? same.findLast(({ status, body }) => status === "running" && equal(body, candidate.body))
      );
    },
  );

  async function execute({ body: bytes, headers }: Call): Promise<Answer> {
    const body = readBody(bytes);
    const isSequential =
      body.method === "Echo" || body.method === "Sink" || body.method === "Load" || body.method === "Save";
    if (!isSequential && body.method !== "Train") {
      throw new Refusal(
        400,
        `Unknown method: ${body.method.slice(0, 100)}. Available: Echo, Load, Save, Sink, Train`,
      );
    }
    const key = has("idempotency") ? (headers["idempotency-key"] as string | undefined) : undefined;
    const candidate: Task = {
      handle: newHandle(body),
      body,
      status: "running",
      progress: 0,
      error: null,
      output: null,
      payload: undefined,
      changes: [{ status: "running", progress: 0, error: null }],
      idempotency_keys: key === undefined ? [] : [key],
      abort: new AbortController(),
      listeners: new Set(),
    };
    const before = has("idempotency") ? known(candidate, key) : undefined;
    const replayed: Record<string, string> = before === undefined ? {} : { "idempotency-replayed": "true" };
    const task = before ?? candidate;
    if (before === undefined) {
      tasks.set(task.handle, task);
      const ended = perform(task);
      if (isSequential) await ended;
    } else {
      if (key !== undefined && !before.idempotency_keys.includes(key)) before.idempotency_keys.push(key);
      if (isSequential) await nextChange(before, 25, () => before.status !== "running");
    }
    const wait_s = has("wait") && !isSequential ? waitOf(headers) : undefined;
    if (wait_s !== undefined && before === undefined)
      await nextChange(task, wait_s, () => task.status !== "running");
    if (isSequential || (wait_s !== undefined && before === undefined && task.status !== "running")) {
      return { status: 200, headers: { ...replayed, ...applied(wait_s) }, body: endOf(task) };
    }
    return { status: 200, headers: replayed, body: { status: "running", task_id: task.handle } };
  }

  function endOf({ status, output, error }: Task) {
    return status === "complete" ? { status, output } : { status, error };
  }

  function mustFind(id: string): Task {
    const task = find(id);
    if (task === undefined) throw new Refusal(404, "Task not found");
    return task;
  }

  async function status(id: string, { headers }: Call): Promise<Answer> {
    const task = mustFind(id);
    if (has("events") && headers.accept === "text/event-stream")
      return { status: 200, stream: streamOf(task, headers) };
    const wait_s = has("wait") ? waitOf(headers) : undefined;
    if (wait_s !== undefined && task.status === "running") await nextChange(task, wait_s, () => true);
    const { progress, error } = task;
    return { status: 200, headers: applied(wait_s), body: { status: task.status, progress, error } };
  }

  function streamOf(task: Task, headers: IncomingHttpHeaders) {
    return (response: ServerResponse) => {
      let sent = Number(headers["last-event-id"] ?? 0) || 0;
      if (sent >= task.changes.length && task.status !== "running") return void response.writeHead(204).end();
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write(":\n\n");
      const beat = setInterval(() => response.write(":\n\n"), 15_000 * time_scale);
      const more = () => {
        for (; sent < task.changes.length; sent++) {
          response.write(`event: status\nid: ${sent + 1}\ndata: ${JSON.stringify(task.changes[sent])}\n\n`);
        }
        if (task.status === "running") return void task.listeners.add(more);
        clearInterval(beat);
        response.end();
      };
      response.on("close", () => {
        clearInterval(beat);
        task.listeners.delete(more);
      });
      more();
    };
  }

  function nextChange(task: Task, wait_s: number, until: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, Math.min(wait_s, 25) * 1000 * time_scale);
      function done() {
        clearTimeout(timer);
        task.listeners.delete(listen);
        resolve();
      }
      function listen() {
        if (until()) done();
        else task.listeners.add(listen);
      }
      task.listeners.add(listen);
      if (task.status !== "running") done();
    });
  }

  function output(id: string): Answer {
    const task = mustFind(id);
    if (task.status !== "complete") throw new Refusal(400, "Task not complete");
    const empty = {
      protocol: "inline",
      uri: Buffer.from("{}").toString("base64"),
      format: "json",
      metadata: {},
    };
    return { status: 200, body: { output: task.output ?? empty } };
  }

  function data(id: string): Answer {
    const task = mustFind(id);
    if (task.status !== "complete") throw new Refusal(400, "Task not complete");
    if (task.payload === undefined || task.output === null)
      throw new Refusal(404, "This task has no payload here");
    const type = mediaTypes[task.output.format] ?? "application/octet-stream";
    return { status: 200, headers: { "content-type": type }, body: task.payload };
  }

  function cancel(id: string): Answer {
    const task = mustFind(id);
    const { status: before, progress } = task;
    if (before !== "running") return { status: 200, body: { status: before, progress, error: task.error } };
    endTask(task, { status: "failed", error: "Cancelled" });
    task.abort.abort();
    return { status: 202, body: { status: task.status, progress, error: task.error } };
  }

  function operations(): Answer {
    const one = (name: string, style: string, sink = false) => ({
      name,
      style,
      sink,
      parameters: { type: "object" },
      inputs: [{ protocols: ["inline", "http", "file"], formats: ["json", "csv"] }],
      output: { protocols: ["inline"], formats: ["json"] },
    });
    const all = [
      one("Echo", "sequential"),
      one("Load", "sequential"),
      one("Save", "sequential"),
      one("Sink", "sequential", true),
      one("Train", "concurrent"),
    ];
    return { status: 200, body: { operations: all, extensions } };
  }

  async function route(call: Call): Promise<Answer> {
    const { method, path } = call;
    if (path === "/health") return only(method, "GET", () => ({ status: 200, body: { status: "ok" } }));
    const [, word = "", id = ""] =
      /^\/control\/(execute|operations|(?:status|output|data|cancel)(?=\/))(?:\/([^/]+))?$/.exec(path) ?? [];
    if (word === "" && !path.startsWith("/control/")) throw new Refusal(404, "Not Found");
    if (!(token !== undefined && isSigned(call)) && !authorize(call))
      throw new Refusal(401, "Unauthorized", { "www-authenticate": "Bearer" });
    const name = decode(id);
    if (word === "execute" && id === "") return only(method, "POST", () => execute(call));
    if (word === "operations" && id === "" && options.self_description !== false)
      return only(method, "GET", operations);
    if (name === "") throw new Refusal(404, "Not Found");
    if (word === "status") return only(method, "GET", () => status(name, call));
    if (word === "output") return only(method, "GET", () => output(name));
    if (word === "data") return only(method, "GET", () => data(name));
    if (word === "cancel" && has("cancel")) return only(method, "POST", () => cancel(name));
    throw new Refusal(404, "Not Found");
  }

  const server = createServer({
    headersTimeout: Math.max(2000, 5000 * time_scale),
    requestTimeout: 20_000,
    connectionsCheckingInterval: 250,
  });
  server.on("request", async (request, response) => {
    response.on("error", () => {});
    const target = request.url ?? "/";
    const [path = "/", query = ""] = target.replace(/^https?:\/\/[^/]*/i, "").split("?", 2);
    const pieces: Buffer[] = [];
    let length = 0;
    try {
      for await (const piece of request as AsyncIterable<Buffer>) {
        length += piece.length;
        if (length > longestBody) break;
        pieces.push(piece);
      }
    } catch {
      // The caller went away in the middle of its request: nobody is there to be answered.
      return;
    }
    const call: Call = {
      method: request.method ?? "GET",
      path,
      query: new URLSearchParams(query),
      headers: request.headers,
      body: Buffer.concat(pieces),
      response,
    };
    const next = (again: Call = call) => route(again).catch(answerTo);
    const tooLarge = () =>
      answerTo(new Refusal(413, `Expected at most ${longestBody} bytes`, { connection: "close" }));
    // A hook that throws is a fault of the service, not the end of the harness.
    const asHooked = async () => (hooks.call === undefined ? next() : hooks.call(call, next));
    const answer = length > longestBody ? tooLarge() : await asHooked().catch(answerTo);
    write(response, answer, call.method === "HEAD");
  });
  hooks.server?.(server, state);
  // Some faults take connections away from node's server, which would then wait for them for ever.
  const sockets = new Set<Socket>();
  server.prependListener("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((done, fail) => server.once("error", fail).listen(options.port ?? 0, host, done));
  return {
    ...state,
    token,
    async close() {
      for (const task of tasks.values()) task.abort.abort();
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
      if (options.share === undefined) await rm(share, { recursive: true, force: true });
    },
  };
}

/** Writes an answer as it stands. */
function write(
  response: ServerResponse,
  { status, headers = {}, body, stream }: Answer,
  isHead: boolean,
): void {
  if (response.headersSent || response.destroyed) return;
  if (stream !== undefined) {
    stream(response);
    return;
  }
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const bytes =
    body === undefined ? Buffer.alloc(0) : Buffer.from(isRaw ? (body as string) : JSON.stringify(body));
  const type = isRaw ? {} : { "content-type": "application/json" };
  response.writeHead(status, { ...type, "content-length": bytes.length, ...headers });
  response.end(isHead ? undefined : bytes);
}

function answerTo(error: unknown): Answer {
  const { status, detail, headers } = error instanceof Refusal ? error : new Refusal(500, "Internal error");
  return { status, headers, body: { detail } };
}

function only(
  method: string,
  allowed: string,
  answer: () => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  if (method === allowed || (allowed === "GET" && method === "HEAD")) return answer();
  throw new Refusal(405, "Method Not Allowed", { allow: allowed });
}

function decode(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return "";
  }
}

/** What is wrong with an input. */
function objection(input: unknown): string | undefined {
  if (input === null || typeof input !== "object") return "expected a reference";
  const { protocol, uri, format } = input as Record<string, unknown>;
  if (typeof protocol !== "string" || typeof uri !== "string" || typeof format !== "string") {
    return "expected protocol, uri and format";
  }
  if (uri.trim() === "") return "expected a uri that is not blank";
  if (!["inline", "file", "http", "https", "s3", "nfs", "mqtt", "grpc", "villas"].includes(protocol)) {
    return "expected another protocol";
  }
  // A group that repeats overflows the stack on megabytes.
  const isBase64 = uri.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(uri);
  if (protocol === "inline" && !isBase64) return "expected base64";
  if (/^(https?|s3)$/.test(protocol) && !uri.startsWith(`${protocol}://`)) return `expected ${protocol}://`;
  const isFormat = /^(json|csv|parquet|protobuf|binary|xml)$/.test(format) || protocol === "grpc";
  return isFormat ? undefined : "expected another format";
}

function waitOf(headers: IncomingHttpHeaders): number | undefined {
  const wait = /(?:^|[\s,;])wait=(\d{1,9})(?:$|[\s,;])/.exec(String(headers.prefer ?? ""))?.[1];
  return wait === undefined ? undefined : Number(wait);
}

function applied(wait_s: number | undefined): Record<string, string> {
  return wait_s === undefined ? {} : { "preference-applied": `wait=${wait_s}` };
}
