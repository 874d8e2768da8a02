import { createFilePlane, createUrlSigner, type FilePlane, type UrlSigner } from "@aieffect/data-plane-file";
import type { Logger } from "pino";
import { type ControlHandler, createHandler } from "./http/handler.ts";
import { createLog } from "./observability/log.ts";
import { createMetrics, type Metrics } from "./observability/metrics.ts";
import type { Operation, Style } from "./operation.ts";
import { pickDefined, type ResolvedOptions, resolveOptions, type ServiceOptions } from "./options.ts";
import { createEngine, type Engine } from "./tasks/engine.ts";
import { createMemoryStore } from "./tasks/memory-store.ts";
import { neverDroppedWithin_ms, resolveRetention, type TaskStore } from "./tasks/task-store.ts";

/** The pieces of a service, for the HTTP layer. */
export interface ServiceParts {
  options: ResolvedOptions;
  operations: ReadonlyMap<string, Operation>;
  engine: Engine;
  store: TaskStore;
  plane: FilePlane;
  signer: UrlSigner | undefined;
  metrics: Metrics;
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
  "peer_keys",
] as const;

/** Seconds between two looks for what retention allows to drop. */
const pruneEvery_s = 30;

/** Puts a service together; `style` is what its variants differ in. */
export function createService(given: ServiceOptions, style: Style): Service {
  const options = resolveOptions(given, style);
  const { name, api_key, log_level, log_dir, log_out } = options;
  const secrets = [...(api_key === undefined ? [] : [api_key]), ...Object.values(options.peer_keys ?? {})];
  const { log, close: closeLog } = createLog({ level: log_level, dir: log_dir, name, out: log_out, secrets });
  const store = options.store ?? createMemoryStore(options.retention);
  const plane = createFilePlane({
    data_dir: options.data_dir,
    roots: options.data_roots,
    ...pickDefined(options, planeOptions),
  });
  const signer = api_key === undefined ? undefined : createUrlSigner(api_key);
  let selfUrl = options.self_url;
  const urlOfSelf = () => selfUrl ?? "http://localhost:8080";
  const retention = resolveRetention(options.retention);

  function dataUrl(handle: string): string {
    const path = `/control/data/${handle}`;
    if (signer === undefined) return urlOfSelf() + path;
    const kept_s = Math.max(retention.max_age_s, neverDroppedWithin_ms / 1000) + pruneEvery_s;
    const expires = Math.ceil(options.now() / 1000 + kept_s);
    return urlOfSelf() + signer.sign(path, expires);
  }

  const operations = new Map(options.operations.map((operation) => [operation.name, operation]));
  const metrics = createMetrics(() => engine.queue);
  const engine = createEngine({
    operations,
    style,
    store,
    plane,
    log,
    metrics,
    limits: options,
    publish_as: options.publish_as,
    dataUrl,
    secrets,
    now: options.now,
  });
  const pruning = setInterval(() => {
    engine.prune().catch((error: unknown) => log.error({ err: error }, "dropping old tasks failed"));
  }, pruneEvery_s * 1000).unref();

  const parts: ServiceParts = { options, operations, engine, store, plane, signer, metrics, log };
  return {
    parts,
    handle: createHandler(parts),
    selfUrl: urlOfSelf,
    setSelfUrl(url) {
      selfUrl ??= url;
    },
    async close(grace_ms = 0) {
      clearInterval(pruning);
      await engine.stop(grace_ms);
      plane.close();
      await store.close();
      await closeLog();
    },
  };
}
