import { randomBytes } from "node:crypto";
import { createFilePlane, type FilePlane } from "@aieffect/data-plane-file";
import type { Logger } from "pino";
import { type ControlHandler, createHandler } from "./http/handler.ts";
import { createRateLimiter, type RateLimiter } from "./http/rate-limit.ts";
import { createServiceKeys, type ServiceKeys } from "./http/service-keys.ts";
import { createLog } from "./observability/log.ts";
import { createMetrics, type Metrics } from "./observability/metrics.ts";
import { createSecrets, type Secrets, withoutSecrets } from "./observability/redact.ts";
import { createTracing, type Tracing } from "./observability/tracing.ts";
import type { Operation, Style } from "./operation.ts";
import {
  pickDefined,
  type ResolvedOptions,
  readTelemetryKeys,
  resolveOptions,
  type ServiceOptions,
} from "./options.ts";
import { createPlanes } from "./planes/create-planes.ts";
import { openStore } from "./stores/open-store.ts";
import { neverDroppedWithin_ms, resolveRetention, type TaskStore } from "./stores/task-store.ts";
import { createEngine, type Engine } from "./tasks/engine.ts";
import { warnOfLeftovers } from "./tasks/warn-of-leftovers.ts";

/** The pieces of a service, for the HTTP layer. */
export interface ServiceParts {
  options: ResolvedOptions;
  operations: ReadonlyMap<string, Operation>;
  engine: Engine;
  store: TaskStore;
  plane: FilePlane;
  /** None: open (R-AUTH-02). */
  keys: ServiceKeys | undefined;
  /** None: no limit (R-LIMIT-01). */
  limit: RateLimiter | undefined;
  secrets: Secrets;
  metrics: Metrics;
  tracing: Tracing;
  log: Logger;
}

/** A service: operations, an engine that runs them, and what answers calls. */
export interface Service {
  /** For `serve()` and `controlRouter()`. */
  readonly parts: ServiceParts;
  /** Answers calls of the contract on node's own request and response. */
  readonly handle: ControlHandler;
  /** Where peers reach it; `serve()` sets it once the port is known, unless the options did. */
  selfUrl(): string;
  setSelfUrl(url: string): void;
  /**
   * Starts the service's `planes`, once; `serve()` and `controlRouter()` see to it. `listen_host` is
   * the address that they listen on. Rejects when one cannot start; the others are stopped then.
   */
  startPlanes(listen_host?: string): Promise<void>;
  /** Stops them; `close()` sees to it. */
  stopPlanes(): Promise<void>;
  /** Begins to remove folders without a task, of processes that died; `serve()` sees to it, and the service itself every 30 s. */
  removeLeftFolders(): void;
  /** Stops: no new tasks, `grace_ms` for running ones, then they are aborted. Then everything is released. */
  close(grace_ms?: number): Promise<void>;
}

/** What the data plane takes as it is. */
const planeOptions = [
  "hosts",
  "max_fetch_bytes",
  "max_inline_bytes",
  "max_redirects",
  "fetch_idle_timeout_ms",
  "fetch_timeout_ms",
  "fetch_retries",
  "s3",
  "peer_keys",
  "now",
] as const;

/** Seconds between two looks for what retention allows to drop. */
const pruneEvery_s = 30;

/** Less than the 30 s that a caller waits for a sequential operation (R-READ-11), so that it hears what was wrong. */
const sequentialPatience_ms = 20_000;

/** What never reaches a log or an answer, whoever quotes it; of options that may not make sense. */
function secretsOf(
  options: Partial<Pick<ResolvedOptions, "api_keys" | "traces">> &
    Omit<Partial<ServiceOptions>, "rate_limit">,
): string[] {
  const { api_key, api_keys, peer_keys, s3, store, traces, traces_endpoint, self_url } = options;
  const keys = [api_key, api_keys, Object.values(peer_keys ?? {}), s3?.secret_access_key, s3?.session_token];
  const passwords = [store, s3?.endpoint, traces?.url, traces_endpoint, self_url].flatMap(passwordIn);
  return [...keys.flat(), ...passwords].filter((secret) => typeof secret === "string");
}

/** The password of a URL, as it stands there and as it is meant. */
function passwordIn(url: unknown): string[] {
  if (typeof url !== "string" || !URL.canParse(url)) return [];
  const { password } = new URL(url);
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

/** Puts a service together; `style` is what its variants differ in. */
export function createService(given: ServiceOptions, style: Style): Service {
  const secrets = createSecrets([...secretsOf(given), ...readTelemetryKeys()]);
  try {
    const options = resolveOptions(given, style);
    secrets.add(secretsOf(options));
    return assemble(options, style, secrets);
  } catch (error) {
    // Who made a mistake is told so where everybody reads it.
    throw withoutSecrets(error, secrets);
  }
}

function assemble(options: ResolvedOptions, style: Style, secrets: Secrets): Service {
  const { name, log_level, log_dir, log_out } = options;
  const { log, close: closeLog } = createLog({ level: log_level, dir: log_dir, name, out: log_out, secrets });
  const store = openStore(options, (error) => log.warn({ err: error }, "the store has a problem"));
  const plane = createFilePlane({
    data_dir: options.data_dir,
    // Whoever drops a task removes its folder, also where another replica has one of that name on its own disk.
    ...(store.shared && { folder_tag: `r${randomBytes(6).toString("hex")}` }),
    roots: options.data_roots,
    ...pickDefined(options, planeOptions),
  });
  const keys = createServiceKeys({ options, log, secrets });
  let selfUrl = options.self_url;
  const urlOfSelf = () => selfUrl ?? "http://localhost:8080";
  const retention = resolveRetention(options.retention);

  function dataUrl(handle: string): string {
    const path = `/control/data/${handle}`;
    if (keys === undefined) return urlOfSelf() + path;
    const kept_s = Math.max(retention.max_age_s, neverDroppedWithin_ms / 1000) + pruneEvery_s;
    const expires = Math.ceil(options.now() / 1000 + kept_s);
    return urlOfSelf() + keys.sign(path, expires);
  }

  const operations = new Map(options.operations.map((operation) => [operation.name, operation]));
  const metrics = createMetrics(() => engine.queue);
  const tracing = createTracing(options, { log, secrets });
  const engine = createEngine({
    operations,
    style,
    store,
    plane,
    planes: options.planes,
    log,
    metrics,
    tracing,
    limits: options,
    publish_as: options.publish_as,
    // Who sets the limit knows how long callers wait.
    patience_ms: options.fetch_idle_timeout_ms === undefined ? sequentialPatience_ms : undefined,
    max_payload_bytes: retention.max_payload_bytes,
    dataUrl,
    secrets,
    now: options.now,
  });
  const looking = options.store === "memory" ? warnOfLeftovers(plane, options.data_dir, log) : undefined;
  const pruning = setInterval(() => {
    engine.prune().catch((error: unknown) => log.error({ err: error }, "dropping old tasks failed"));
    removeLeftFolders();
  }, pruneEvery_s * 1000).unref();

  function removeLeftFolders(): void {
    engine.removeLeftFolders().catch((error: unknown) => {
      log.error({ err: error }, "looking for folders that killed processes left behind failed");
    });
  }

  const limit = createRateLimiter(options);
  const planes = createPlanes({ options, engine, keys, metrics, tracing, log });
  const parts: ServiceParts = {
    options,
    operations,
    engine,
    store,
    plane,
    keys,
    limit,
    secrets,
    metrics,
    tracing,
    log,
  };
  return {
    parts,
    handle: createHandler(parts),
    selfUrl: urlOfSelf,
    setSelfUrl(url) {
      selfUrl ??= url;
    },
    startPlanes: planes.start,
    stopPlanes: () => planes.stop(),
    removeLeftFolders,
    async close(grace_ms = 0) {
      clearInterval(pruning);
      try {
        await looking;
        const since = performance.now();
        await engine.stop(grace_ms);
        // As long as the HTTP side lets calls go on.
        await planes.stop(Math.max(0, grace_ms - (performance.now() - since)) + 1000);
        await tracing.close();
        plane.close();
        await store.close();
      } finally {
        await closeLog();
      }
    },
  };
}
