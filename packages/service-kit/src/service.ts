import { createFilePlane, createUrlSigner, type FilePlane, type UrlSigner } from "@aieffect/data-plane-file";
import type { Logger } from "pino";
import { type ControlHandler, createHandler } from "./http/handler.ts";
import { createLog } from "./observability/log.ts";
import { createMetrics, type Metrics } from "./observability/metrics.ts";
import type { Operation, Style } from "./operation.ts";
import { pickDefined, type ResolvedOptions, resolveOptions, type ServiceOptions } from "./options.ts";
import { openStore } from "./stores/open-store.ts";
import { neverDroppedWithin_ms, resolveRetention, type TaskStore } from "./stores/task-store.ts";
import { createEngine, type Engine } from "./tasks/engine.ts";

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
  "fetch_retries",
  "s3",
  "peer_keys",
] as const;

/** Seconds between two looks for what retention allows to drop. */
const pruneEvery_s = 30;

/** What never reaches a log or an answer, whoever quotes it. */
function secretsOf({ api_keys, peer_keys = {}, s3 }: ResolvedOptions): string[] {
  const ofS3 = [s3?.secret_access_key, s3?.session_token].filter((secret) => secret !== undefined);
  return [...api_keys, ...Object.values(peer_keys), ...ofS3];
}

/** Puts a service together; `style` is what its variants differ in. */
export function createService(given: ServiceOptions, style: Style): Service {
  const options = resolveOptions(given, style);
  const { name, api_keys, log_level, log_dir, log_out } = options;
  const secrets = secretsOf(options);
  const { log, close: closeLog } = createLog({ level: log_level, dir: log_dir, name, out: log_out, secrets });
  const store = openStore(options);
  const plane = createFilePlane({
    data_dir: options.data_dir,
    roots: options.data_roots,
    ...pickDefined(options, planeOptions),
  });
  const signer = api_keys[0] === undefined ? undefined : createUrlSigner(api_keys[0]);
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
      try {
        await engine.stop(grace_ms);
        plane.close();
        await store.close();
      } finally {
        await closeLog();
      }
    },
  };
}
