import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { createHostPolicy, type ReplyKind } from "@aieffect/control-interface";
import { decoded, longestBody } from "./content-coding.ts";
import {
  type Exchange,
  type History,
  mostReading,
  type ReceivedReply,
  type SilenceKind,
} from "./exchange.ts";

/** One request to be sent. */
export interface CallOptions {
  /** @default "GET" */
  method?: string;
  /** From the target's base URL on, as in `/control/status/x?y`; sent as it is. An absolute URL goes to another server. */
  path: string;
  /** Added to the usual ones; a value of null takes a usual one away, a list sends the header several times. */
  headers?: Readonly<Record<string, string | readonly string[] | null>>;
  /** Bytes and text are sent as they are, anything else as JSON. */
  body?: unknown;
  /** @default the target's */
  timeout_ms?: number;
  /** Send no bearer token, or another one. @default the target's */
  token?: string | null;
  /** A new connection for this call only. @default false */
  fresh?: boolean;
  /** Fires when the harness wants to go away before the reply. */
  signal?: AbortSignal | undefined;
  /** @default undefined: a call that the orchestrator does not make */
  kind?: ReplyKind | undefined;
  /** Monitors judge the reply. @default false */
  valid?: boolean;
  /** A 5xx is a legal answer here, and monitors do not mind it. @default false */
  may_be_5xx?: boolean;
  /** Keep only the beginning of both bodies, for calls with a lot of them. @default false */
  brief?: boolean;
}

/** So much of a body is kept of a call that is to be kept in brief. */
const briefBody = 4096;

/** What `send` needs to know of the target. */
export interface WireOptions {
  base_url: string;
  token?: string | undefined;
  timeout_ms: number;
  /** So long a call may take once several got no reply in time. @default 3000 */
  impatient_ms?: number;
  /** Sent with every call. */
  headers?: Readonly<Record<string, string>>;
  /** The case that is running. */
  caseId(): string;
  /** Called before every request; throws when there have been too many. */
  admit?(): void;
}

/** Sends requests and notes every one of them, whatever becomes of it. */
export interface Wire {
  /** Never rejects because of the target: an exchange without a reply says why. */
  send(call: CallOptions): Promise<Exchange>;
  /** How many of the latest calls, one after another, got no reply in time. */
  silentCalls(): number;
  readonly base_url: string;
  readonly token: string | undefined;
  close(): void;
}

/** After so many calls, one after another, without a reply in time, further ones get less of it; after as many more, a third of that. */
const patientCalls = 3;

/** Servers close connections that idle, many after 5 s; a call over one that is just being closed would be lost. */
const longestIdle_ms = 2000;

/** A service names where its payloads are; metadata services of clouds are no such place, and reports tell what was read. */
const peers = createHostPolicy();

/** The headers of the deployed orchestrator's client, which some servers turn out to depend on (C02). */
const orchestratorHeaders = {
  accept: "*/*",
  "accept-encoding": "identity",
  "user-agent": "python-httpx/0.27.0",
} as const;

export function createWire(history: History, options: WireOptions): Wire {
  const base = new URL(options.base_url);
  const isTls = base.protocol === "https:";
  const prefix = base.pathname.replace(/\/+$/, "");
  const pool = { keepAlive: true, maxSockets: 64, timeout: longestIdle_ms };
  const keeping = isTls ? new HttpsAgent(pool) : new HttpAgent(pool);
  const connections = new WeakMap<Socket, number>();
  const patience = createPatience(history, options);
  let serial = 0;

  function connectionOf(socket: Socket | null): number {
    if (socket === null) return 0;
    const known = connections.get(socket);
    if (known !== undefined) return known;
    connections.set(socket, ++serial);
    return serial;
  }

  async function send(call: CallOptions): Promise<Exchange> {
    options.admit?.();
    const { method = "GET", fresh = false, kind, valid = false } = call;
    const url = /^https?:\/\//i.test(call.path) ? new URL(call.path) : undefined;
    const path = url === undefined ? prefix + call.path : url.pathname + url.search;
    // Only the target's own silence says something about the target.
    const timeout_ms = patience.of(call.timeout_ms ?? options.timeout_ms, url === undefined);
    const body = toBytes(call.body);
    const headers = headersOf(call, body, url === undefined ? options.token : undefined);
    if (fresh) headers.connection = "close";
    const case_id = options.caseId();
    const sent_at = history.now();
    let answered_at: number | undefined;
    let connection = 0;
    let reply: ReceivedReply | undefined;
    let silence: Exchange["silence"];
    const attempt = (isNew: boolean) =>
      new Promise<ReceivedReply>((resolve, reject) => {
        const isPeer = url !== undefined && url.hostname !== base.hostname;
        if (isPeer) peers.assertUrl(url);
        const send = (url?.protocol ?? base.protocol) === "https:" ? httpsRequest : httpRequest;
        const request = send({
          host: (url ?? base).hostname.replace(/^\[|\]$/g, ""),
          port: (url ?? base).port,
          method,
          path,
          headers,
          // Another server gets no connection of the target's.
          agent: isNew || url !== undefined ? false : keeping,
          ...(isPeer && { lookup: peers.lookup }),
        });
        const deadline = setTimeout(() => request.destroy(new TimedOut(timeout_ms)), timeout_ms);
        const giveUp = () => request.destroy(new GivenUp());
        if (call.signal?.aborted) giveUp();
        call.signal?.addEventListener("abort", giveUp, { once: true });
        const over = () => {
          clearTimeout(deadline);
          call.signal?.removeEventListener("abort", giveUp);
        };
        request.on("socket", (socket) => (connection = connectionOf(socket)));
        request.on("error", (error) => {
          over();
          const isStale = request.reusedSocket && answered_at === undefined && isCut(error);
          reject(isStale ? new Stale(error.message) : error);
        });
        request.on("response", (response) => {
          answered_at = history.now();
          readReply(response, history).then(resolve, reject).finally(over);
        });
        request.end(body);
      });
    try {
      reply = await attempt(fresh).catch((error) => {
        if (error instanceof Stale) return attempt(true);
        throw error;
      });
    } catch (error) {
      silence = { kind: silenceOf(error), message: error instanceof Error ? error.message : String(error) };
    }
    const pairs = Object.entries(headers).flatMap(([name, value]) =>
      [value].flat().map((one) => [name, one] as const),
    );
    if (url === undefined) patience.learn(sent_at, silence?.kind);
    const keep = (bytes: Buffer) =>
      call.brief && bytes.length > briefBody ? Buffer.from(bytes.subarray(0, briefBody)) : bytes;
    const exchange = {
      case_id,
      kind,
      valid,
      ...(call.may_be_5xx && { may_be_5xx: true }),
      request: { method, path: url === undefined ? path : call.path, headers: pairs, body: keep(body) },
      reply: reply && { ...reply, body: keep(reply.body), cut: reply.cut || keep(reply.body) !== reply.body },
      silence,
      sent_at,
      answered_at,
      ended_at: history.now(),
      connection,
    };
    return history.add(exchange);
  }

  function headersOf(call: CallOptions, body: Buffer, ownToken: string | undefined) {
    const headers: Record<string, string | string[]> = { ...orchestratorHeaders, ...options.headers };
    const token = call.token === undefined ? ownToken : call.token;
    if (token != null) headers.authorization = `Bearer ${token}`;
    if (call.body !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = String(body.length);
    }
    for (const [name, value] of Object.entries(call.headers ?? {})) {
      if (value === null) delete headers[name.toLowerCase()];
      else headers[name.toLowerCase()] = typeof value === "string" ? value : [...value];
    }
    return headers;
  }

  return {
    send,
    silentCalls: patience.silent,
    base_url: base.href.replace(/\/+$/, ""),
    token: options.token,
    close: () => keeping.destroy(),
  };
}

async function readReply(response: IncomingMessage, history: History): Promise<ReceivedReply> {
  const pieces: Buffer[] = [];
  let kept = 0;
  let cut = false;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      cut ||= kept + piece.length > longestBody || history.reading + piece.length > mostReading;
      if (cut) continue;
      pieces.push(piece);
      kept += piece.length;
      history.reading += piece.length;
    }
  } finally {
    history.reading -= kept;
  }
  if (!response.complete) throw Object.assign(new Error("the reply was cut"), { code: "ECONNRESET" });
  const headers = Object.fromEntries(
    Object.entries(response.headersDistinct).map(([name, values]) => [name, values?.join(", ") ?? ""]),
  );
  return decoded({ status: response.statusCode ?? 0, headers, body: Buffer.concat(pieces), cut });
}

/** How long calls may take: a target that never answers is not waited for at every single one. */
function createPatience(history: History, { impatient_ms = 3000 }: WireOptions) {
  let silent = 0;
  let latest = 0;
  return {
    silent: () => silent,
    of(timeout_ms: number, isOwn: boolean): number {
      if (!isOwn || silent < patientCalls) return timeout_ms;
      return Math.min(timeout_ms, silent < 2 * patientCalls ? impatient_ms : impatient_ms / 3);
    },
    learn(sent_at: number, silence: SilenceKind | undefined) {
      // Whatever else comes back, somebody is there.
      if (silence !== "timeout") silent = silence === "given up" ? silent : 0;
      // Calls that waited side by side waited once.
      else if (sent_at >= latest) {
        silent++;
        latest = history.now();
      }
    },
  };
}

function toBytes(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

class TimedOut extends Error {
  constructor(ms: number) {
    super(`no whole reply within ${ms} ms`);
  }
}

class GivenUp extends Error {}

/** The peer closed a connection that idled while the call was on its way: nobody's fault (RFC 9112, 9.3.1). */
class Stale extends Error {}

function isCut(error: Error): boolean {
  return ["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function silenceOf(error: unknown): SilenceKind {
  if (error instanceof TimedOut) return "timeout";
  if (error instanceof GivenUp) return "given up";
  const { code = "" } = error as { code?: string };
  if (code.startsWith("HPE_")) return "malformed";
  return ["ECONNREFUSED", "ENOTFOUND", "unreadable_reference"].includes(code) ? "refused" : "closed";
}
