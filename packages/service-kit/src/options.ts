import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { delimiter } from "node:path";
import type { HostPolicyOptions } from "@aieffect/control-interface";
import type { S3Options, UploadOptions } from "@aieffect/data-plane-file";
import type { DestinationStream } from "pino";
import { assertKeys, assertOperations, assertPlanes } from "./check-options.ts";
import { keysInOtlpHeaders } from "./observability/otlp-headers.ts";
import { type Operation, type PublishOptions, publishedAs, type Style } from "./operation.ts";
import type { DataPlane } from "./planes/data-plane.ts";
import { type Retention, resolveRetention, type TaskStore } from "./stores/task-store.ts";

/** What a service is made of. Only `operations` has no default. */
export interface ServiceOptions {
  /** What the service can do; names must differ. */
  // biome-ignore lint/suspicious/noExplicitAny: parameters differ from operation to operation
  operations: readonly Operation<any>[];
  /** In logs and documents. @default the host's name */
  name?: string;
  /** In documents. @default "0.0.0" */
  version?: string;
  /**
   * Bearer key that callers need (R-AUTH-01). Of several, every one is accepted and the first signs
   * URLs (R-AUTH-05): put the new key first, and take the old one away when nobody uses it any more.
   * @default `SERVICE_API_KEY`, else the lines of `SERVICE_API_KEY_FILE`, else none: open
   */
  api_key?: string | readonly string[];
  /** Base URL under which peers reach the service, with the router's mount path if it has one. @default `SELF_URL`, else http://localhost:<port> */
  self_url?: string;
  /** Where payloads live. @default `DATA_DIR`, else ./data */
  data_dir?: string;
  /** Further folders that `file` inputs may be in. @default `DATA_ROOTS`, separated like PATH; else none */
  data_roots?: readonly string[];
  /** How results reach the next service unless `ctx.publish` says otherwise. `s3` and `presigned` need the option `s3`. @default "http" */
  publish_as?: NonNullable<PublishOptions["as"]>;
  /** Which hosts inputs may be fetched from. @default all but link-local and metadata addresses */
  hosts?: HostPolicyOptions;
  /** Largest payload that is fetched, in bytes. @default 64 GiB */
  max_fetch_bytes?: number;
  /** Largest payload that `publish` puts inline, in bytes. @default 1 MiB */
  max_inline_bytes?: number;
  /** Redirects that are followed to an input. @default 5 */
  max_redirects?: number;
  /** So long a fetch may stand still, in ms. @default 60,000; in sequential operations 20,000 over all attempts, because a caller waits 30 s for their answer */
  fetch_idle_timeout_ms?: number;
  /** So long a fetch may take in all, in ms, without the time in which the operation pauses; Infinity: no limit. @default 86,400,000 (24 h) */
  fetch_timeout_ms?: number;
  /** How often a fetch goes on after it was cut, refused or damaged, without much progress in between. @default 4 */
  fetch_retries?: number;
  /** The S3-compatible store that `s3` inputs are read from and results are published to. @default from `AWS_*` and `S3_*`; none without `AWS_ACCESS_KEY_ID` */
  s3?: S3Options;
  /** What `POST /control/data` takes (R-UP-01); false turns it off. @default files of up to 1 GiB */
  uploads?: UploadOptions | false;
  /** Data planes with servers of their own, such as gRPC; started and stopped with the service. @default none */
  planes?: readonly DataPlane[];
  /** Bearer keys of peers whose data needs one, by `host` or `host:port`; sent to no other (R-SIGN-04). @default none */
  peer_keys?: Readonly<Record<string, string>>;
  /** Largest request body, in bytes (R-EXEC-14). @default 16 MiB */
  max_body_bytes?: number;
  /** Tasks that run at once; the rest wait. @default 64 */
  max_running?: number;
  /** Tasks that may wait; more are refused with 503 (R-EXEC-15). @default 1,000 */
  max_queued?: number;
  /** Bytes of the requests of all tasks that run or wait, and of bodies above 64 KiB that are coming; more are refused with 503. @default 256 MiB */
  max_pending_bytes?: number;
  /** How long ended tasks and their files are kept (R-RUN-09). */
  retention?: Retention;
  /**
   * Where task state is kept: a store, or its name as in `TASK_STORE`: `memory`, `sqlite:DIR`
   * (survives a kill; needs the package libsql) or `redis://host:port` (shared by replicas; needs the
   * package ioredis). @default `TASK_STORE`, else memory
   */
  store?: TaskStore | string;
  /** How many calls a client may make; more are answered 429 (R-LIMIT-01). @default no limit */
  rate_limit?: RateLimit;
  /**
   * How many proxies stand in front of the service. Behind a proxy all callers come from its address;
   * theirs is then this entry of `X-Forwarded-For`, counted from the right. A number that is too high
   * lets a caller choose its address. @default 0: the header is not looked at
   */
  trust_proxy?: number;
  /** So long a JSON body may take to come, in ms (R-LIMIT-02). @default 30,000 */
  body_timeout_ms?: number;
  /** So long a client may take nothing of a payload, or send nothing of an upload, in ms. @default 120,000 */
  transfer_idle_timeout_ms?: number;
  /**
   * Where OpenTelemetry spans go, as OTLP over HTTP: a full URL, or one without a path, to which
   * `/v1/traces` is appended. Needs the packages @opentelemetry/sdk-trace-base and
   * @opentelemetry/exporter-trace-otlp-http. Without it spans go to the provider that the application
   * has registered, if it has.
   * @default `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, else `OTEL_EXPORTER_OTLP_ENDPOINT` with `/v1/traces`
   * appended, unless the application has registered a provider; none with `OTEL_SDK_DISABLED=true`
   */
  traces_endpoint?: string;
  /** @default `LOG_LEVEL`, else "info" */
  log_level?: string;
  /** Log also into a rotating file here. @default `LOG_DIR`, else not */
  log_dir?: string;
  /** Log to this instead of standard output. */
  log_out?: DestinationStream;
  /** The clock, epoch ms. @default Date.now */
  now?: () => number;
}

/** How many calls a client may make: an IPv4 address, or a /64 of IPv6. `/health` and `/ready` are free. */
export interface RateLimit {
  /** Calls in each window. */
  requests: number;
  /** Length of a window, in seconds, from a client's first call in it; at most 86,400. @default 1 */
  window_s?: number;
}

/** Where {@link serve} listens, and what it does with slow or greedy clients. */
export interface ServeOptions {
  /** So long the head of a request may take to come, in ms. @default 10,000 */
  headers_timeout_ms?: number;
  /** Largest head of a request, in bytes. @default 16 KiB */
  max_header_bytes?: number;
  /** Connections at once; more are closed as they come. @default no limit */
  max_connections?: number;
  /** @default `HOST`, else 0.0.0.0 */
  host?: string;
  /** 0 picks a free one. @default `PORT`, else 8080 */
  port?: number;
  /** How long running tasks may go on after a stop was asked for, in ms. @default 8,000 */
  grace_ms?: number;
  /** Stop on SIGTERM and SIGINT. @default true */
  handle_signals?: boolean;
}

type Optional =
  | "self_url"
  | "hosts"
  | "max_fetch_bytes"
  | "max_inline_bytes"
  | "max_redirects"
  | "fetch_idle_timeout_ms"
  | "fetch_timeout_ms"
  | "fetch_retries"
  | "s3"
  | "peer_keys"
  | "rate_limit"
  | "log_dir"
  | "log_out"
  | "retention";

const serviceKeys = [
  "operations",
  "name",
  "version",
  "api_key",
  "self_url",
  "data_dir",
  "data_roots",
  "publish_as",
  "hosts",
  "max_fetch_bytes",
  "max_inline_bytes",
  "max_redirects",
  "fetch_idle_timeout_ms",
  "fetch_timeout_ms",
  "fetch_retries",
  "s3",
  "uploads",
  "planes",
  "peer_keys",
  "rate_limit",
  "trust_proxy",
  "body_timeout_ms",
  "transfer_idle_timeout_ms",
  "traces_endpoint",
  "max_body_bytes",
  "max_running",
  "max_queued",
  "max_pending_bytes",
  "retention",
  "store",
  "log_level",
  "log_dir",
  "log_out",
  "now",
] as const satisfies readonly (keyof ServiceOptions)[];

const serveKeys = [
  "headers_timeout_ms",
  "max_header_bytes",
  "max_connections",
  "host",
  "port",
  "grace_ms",
  "handle_signals",
] as const satisfies readonly (keyof ServeOptions)[];

/** Those of them that no default and no environment touches. */
const optionals = [
  "hosts",
  "max_fetch_bytes",
  "max_inline_bytes",
  "max_redirects",
  "fetch_idle_timeout_ms",
  "fetch_timeout_ms",
  "fetch_retries",
  "peer_keys",
  "retention",
  "log_out",
] as const;

/** Options with every default filled in. */
export type ResolvedOptions = Required<Omit<ServiceOptions, Optional | "api_key" | "traces_endpoint">> &
  Pick<ServiceOptions, Exclude<Optional, "rate_limit">> & {
    style: Style;
    rate_limit?: Required<RateLimit>;
    /** The first signs URLs; none: open (R-AUTH-05). */
    api_keys: readonly string[];
    /** Where the keys come from; looked at again while the service runs. */
    api_key_file?: string;
    /** Where spans are sent; `explicit` when the option says so, not the environment alone. */
    traces: { url: string; explicit: boolean } | undefined;
    /** Distinguishes services that share a store; the same in every replica. */
    namespace: string;
  };

/** Fills in defaults; with {@link resolveServeOptions} and {@link readTelemetryKeys} the only place that reads the environment. @throws TypeError */
export function resolveOptions(given: ServiceOptions, style: Style, env = process.env): ResolvedOptions {
  assertKeys("a service's options", given, serviceKeys);
  assertOperations(given.operations);
  if (given.planes !== undefined) assertPlanes(given.planes);
  const store = given.store ?? nonEmpty(env.TASK_STORE) ?? "memory";
  if (typeof store !== "string" && typeof store?.begin !== "function") {
    throw new TypeError(
      "Expected store to be a task store, as createMemoryStore() gives, or its name, as in TASK_STORE",
    );
  }
  if (given.publish_as !== undefined && !publishedAs.includes(given.publish_as)) {
    throw new TypeError(
      `Expected publish_as to be one of ${publishedAs.join(", ")}, got "${given.publish_as}"`,
    );
  }
  const keys = given.api_key === undefined ? readKeys(env) : { api_keys: givenKeys(given.api_key) };
  if (given.s3 !== undefined) assertKeys("the option s3", given.s3, s3Keys);
  const s3 = given.s3 ?? readS3(env);
  if ((given.publish_as === "s3" || given.publish_as === "presigned") && s3?.bucket === undefined) {
    throw new TypeError(
      `Expected the option s3 with a bucket (AWS_ACCESS_KEY_ID and so on, S3_BUCKET) for publish_as "${given.publish_as}", found none`,
    );
  }
  const self_url = given.self_url ?? nonEmpty(env.SELF_URL);
  const log_dir = given.log_dir ?? nonEmpty(env.LOG_DIR);
  if (self_url !== undefined) assertSelfUrl(self_url);
  if (given.name !== undefined) assertName(given.name, log_dir);
  if (given.retention !== undefined) resolveRetention(given.retention);
  if (given.data_roots !== undefined && !Array.isArray(given.data_roots)) {
    throw new TypeError(`Expected data_roots to be a list of folders, got ${given.data_roots}`);
  }
  return {
    operations: given.operations,
    style,
    name: given.name ?? hostname(),
    namespace: given.name ?? given.operations.map(({ name }) => name).join("+"),
    store,
    ...keys,
    traces: readTraces(given.traces_endpoint, env),
    version: given.version ?? "0.0.0",
    data_dir: given.data_dir ?? nonEmpty(env.DATA_DIR) ?? "./data",
    data_roots: given.data_roots ?? nonEmpty(env.DATA_ROOTS)?.split(delimiter).filter(Boolean) ?? [],
    publish_as: given.publish_as ?? "http",
    max_body_bytes: positive("max_body_bytes", given.max_body_bytes ?? 16 * 2 ** 20),
    max_running: positive("max_running", given.max_running ?? 64),
    max_queued: atLeastZero("max_queued", given.max_queued ?? 1000),
    max_pending_bytes: positive("max_pending_bytes", given.max_pending_bytes ?? 256 * 2 ** 20),
    body_timeout_ms: milliseconds("body_timeout_ms", given.body_timeout_ms ?? 30_000),
    transfer_idle_timeout_ms: milliseconds(
      "transfer_idle_timeout_ms",
      given.transfer_idle_timeout_ms ?? 120_000,
    ),
    trust_proxy: integer("trust_proxy", given.trust_proxy ?? 0, 0),
    ...(given.rate_limit !== undefined && { rate_limit: resolveRateLimit(given.rate_limit) }),
    uploads: given.uploads ?? {},
    planes: given.planes ?? [],
    log_level: logLevel(given.log_level ?? nonEmpty(env.LOG_LEVEL) ?? "info"),
    now: given.now ?? Date.now,
    ...(s3 !== undefined && { s3 }),
    ...(self_url !== undefined && { self_url: self_url.replace(/\/+$/, "") }),
    ...(log_dir !== undefined && { log_dir }),
    ...pickDefined(given, optionals),
  };
}

/** Fills in where to listen. @throws TypeError */
export function resolveServeOptions(given: ServeOptions = {}, env = process.env): Required<ServeOptions> {
  assertKeys("the options of serve()", given, serveKeys);
  const port = given.port ?? Number(nonEmpty(env.PORT) ?? 8080);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TypeError(
      `Expected port (PORT) to be an integer from 0 to 65535, got ${given.port ?? env.PORT}`,
    );
  }
  return {
    host: given.host ?? nonEmpty(env.HOST) ?? "0.0.0.0",
    port,
    headers_timeout_ms: milliseconds("headers_timeout_ms", given.headers_timeout_ms ?? 10_000),
    max_header_bytes: integer("max_header_bytes", given.max_header_bytes ?? 16 * 1024, 1),
    max_connections:
      given.max_connections === undefined || given.max_connections === Number.POSITIVE_INFINITY
        ? Number.POSITIVE_INFINITY
        : integer("max_connections", given.max_connections, 1),
    grace_ms: grace(given.grace_ms ?? 8_000),
    handle_signals: given.handle_signals ?? true,
  };
}

/** The keys that the OpenTelemetry SDK, ours or the application's, is told in the environment. */
export function readTelemetryKeys(env = process.env): string[] {
  return keysInOtlpHeaders(env);
}

function resolveRateLimit(given: RateLimit): Required<RateLimit> {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(
      `Expected rate_limit to be an object, as in { requests: 100, window_s: 1 }, got ${given}`,
    );
  }
  assertKeys("rate_limit", given, ["requests", "window_s"]);
  const { requests, window_s = 1 } = given;
  if (!(window_s > 0 && window_s <= 86_400)) {
    throw new TypeError(`Expected rate_limit.window_s to be above 0 and at most 86400, got ${window_s}`);
  }
  return { requests: integer("rate_limit.requests", requests, 1), window_s };
}

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

function logLevel(given: string): string {
  const level = given.toLowerCase();
  if (logLevels.includes(level)) return level;
  throw new TypeError(`Expected log_level (LOG_LEVEL) to be one of ${logLevels.join(", ")}, got "${given}"`);
}

/** A key that is asked for and cannot be had must not leave the service open. */
function readKeys(env: NodeJS.ProcessEnv): Pick<ResolvedOptions, "api_keys" | "api_key_file"> {
  const key = nonEmpty(env.SERVICE_API_KEY)?.trim();
  const api_key_file = nonEmpty(env.SERVICE_API_KEY_FILE);
  if (key !== undefined) assertKey("SERVICE_API_KEY", key);
  if (api_key_file === undefined) return { api_keys: key === undefined ? [] : [key] };
  const api_keys = readKeyFile(api_key_file);
  if (key === undefined) return { api_keys, api_key_file };
  if (api_keys.includes(key)) return { api_keys };
  throw new TypeError("Expected SERVICE_API_KEY or SERVICE_API_KEY_FILE, got both with different keys");
}

/** The keys of a file, one a line (R-ENV-04). @throws TypeError when there is none */
export function readKeyFile(file: string): readonly string[] {
  let found: string;
  try {
    found = readFileSync(file, "utf8");
  } catch (cause) {
    throw new TypeError(`Expected SERVICE_API_KEY_FILE to name a readable file, got ${file}`, { cause });
  }
  const keys = found
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);
  if (keys.length === 0)
    throw new TypeError(`Expected the file of SERVICE_API_KEY_FILE to hold a key, found nothing in ${file}`);
  for (const key of keys) assertKey(`every line of ${file}`, key);
  return keys;
}

/** A list without a key, as `[process.env.KEY]` can be, must not leave the service open either. */
function givenKeys(api_key: string | readonly string[]): readonly string[] {
  const keys = [api_key].flat();
  if (keys.length === 0) throw new TypeError("Expected api_key to have at least one key, got an empty list");
  for (const key of keys) assertKey("api_key", key);
  return keys;
}

/** The key itself stays out of the message: messages reach logs. */
function assertKey(what: string, key: unknown): void {
  if (typeof key === "string" && /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(key)) return;
  const found =
    typeof key !== "string"
      ? `${key === null ? "null" : typeof key}`
      : key.trim() === ""
        ? "an empty text"
        : "a text that no Authorization header can carry";
  throw new TypeError(
    `Expected ${what} to be printable ASCII without spaces at its ends, got ${found}; leave it away for an open service`,
  );
}

const s3Keys = [
  "endpoint",
  "region",
  "access_key_id",
  "secret_access_key",
  "session_token",
  "path_style",
  "bucket",
  "prefix",
  "readable_buckets",
  "presign_s",
] as const satisfies readonly (keyof S3Options)[];

/** The names that every OpenTelemetry SDK reads. */
function readTraces(given: string | undefined, env: NodeJS.ProcessEnv): ResolvedOptions["traces"] {
  if (nonEmpty(env.OTEL_SDK_DISABLED)?.trim().toLowerCase() === "true") return undefined;
  if (given !== undefined) {
    const url = tracesUrl("traces_endpoint", given);
    if (url.pathname === "/") url.pathname = "/v1/traces";
    return { url: url.href, explicit: true };
  }
  // Other exporters are for those who bring an SDK of their own.
  if (!(nonEmpty(env.OTEL_TRACES_EXPORTER) ?? "otlp").includes("otlp")) return undefined;
  const full = nonEmpty(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
  if (full !== undefined) {
    return { url: tracesUrl("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", full).href, explicit: false };
  }
  const base = nonEmpty(env.OTEL_EXPORTER_OTLP_ENDPOINT);
  if (base === undefined) return undefined;
  const url = tracesUrl("OTEL_EXPORTER_OTLP_ENDPOINT", base);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/v1/traces`;
  return { url: url.href, explicit: false };
}

function tracesUrl(name: string, value: string): URL {
  if (/^https?:\/\/[^/]/.test(value.trim()) && URL.canParse(value)) return new URL(value);
  throw new TypeError(
    `Expected ${name} to be an http or https URL, as in http://localhost:4318, got "${value.replace(/\/\/[^/]*@/, "//")}"`,
  );
}

/** By the names that every S3 tool reads; `S3_*` are our own. */
function readS3(env: NodeJS.ProcessEnv): S3Options | undefined {
  const access_key_id = nonEmpty(env.AWS_ACCESS_KEY_ID);
  const secret_access_key = nonEmpty(env.AWS_SECRET_ACCESS_KEY);
  if (access_key_id === undefined && secret_access_key === undefined) return undefined;
  if (access_key_id === undefined || secret_access_key === undefined) {
    const [has, misses] =
      access_key_id === undefined
        ? ["SECRET_ACCESS_KEY", "ACCESS_KEY_ID"]
        : ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY"];
    throw new TypeError(`Expected AWS_${misses} beside AWS_${has}, found none; set both or neither`);
  }
  const readable_buckets = nonEmpty(env.S3_READABLE_BUCKETS)
    ?.split(",")
    .map((name) => name.trim());
  const found = {
    access_key_id,
    secret_access_key,
    session_token: nonEmpty(env.AWS_SESSION_TOKEN),
    region: nonEmpty(env.AWS_REGION) ?? nonEmpty(env.AWS_DEFAULT_REGION),
    endpoint: nonEmpty(env.AWS_ENDPOINT_URL_S3) ?? nonEmpty(env.AWS_ENDPOINT_URL),
    bucket: nonEmpty(env.S3_BUCKET),
    prefix: nonEmpty(env.S3_PREFIX),
    readable_buckets,
  };
  return pickDefined(found, Object.keys(found) as (keyof typeof found)[]) as S3Options;
}

/** The named members that are there: with exact optional types, undefined is not the same as absent. */
export function pickDefined<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])),
  ) as Pick<T, K>;
}

/** A variable that is set to nothing counts as not set, as in compose files. */
function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value;
}

/** Paths are put behind it. */
function assertSelfUrl(self_url: string): void {
  if (!/^https?:\/\/[^/]/i.test(self_url) || !URL.canParse(self_url)) {
    throw new TypeError(`Expected self_url (SELF_URL) to be an http or https URL, got "${self_url}"`);
  }
  const { search, hash } = new URL(self_url);
  if (search + hash === "") return;
  throw new TypeError(`Expected self_url (SELF_URL) to end with its path, found ${search}${hash} behind it`);
}

function assertName(name: string, log_dir: string | undefined): void {
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`Expected name to be a text that is not empty, got ${JSON.stringify(name)}`);
  }
  // With a folder for the log there is a file of that name.
  if (!/[/\\\p{Cc}]/u.test(name) || log_dir === undefined) return;
  throw new TypeError(
    `Expected name to be the name of a file, because the log in log_dir (LOG_DIR) is called by it, got ${JSON.stringify(name)}`,
  );
}

function positive(name: string, value: number): number {
  if (typeof value === "number" && value > 0) return value;
  throw new TypeError(`Expected ${name} to be a number above 0, got ${value}`);
}

function integer(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`Expected ${name} to be an integer of at least ${least}, got ${value}`);
}

/** What is longer than a timer can wait would be over at once. */
function milliseconds(name: string, value: number): number {
  if (value > 0 && value < 2 ** 31) return value;
  throw new TypeError(`Expected ${name} to be above 0 and below 2^31 (25 days), got ${value}`);
}

function atLeastZero(name: string, value: number): number {
  if (typeof value === "number" && value >= 0) return value;
  throw new TypeError(`Expected ${name} to be a number of at least 0, got ${value}`);
}

function grace(value: number): number {
  if (typeof value === "number" && value >= 0 && value < 2 ** 31) return value;
  throw new TypeError(`Expected grace_ms to be at least 0 and below 2^31 (25 days), got ${value}`);
}
