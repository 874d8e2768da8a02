import type { Logger } from "pino";
import type { ServiceKeys } from "../http/service-keys.ts";
import type { Metrics } from "../observability/metrics.ts";
import { readTrace } from "../observability/trace.ts";
import type { Tracing } from "../observability/tracing.ts";
import type { ResolvedOptions } from "../options.ts";
import type { Engine } from "../tasks/engine.ts";
import type { PlaneHost } from "./data-plane.ts";

/** The planes of a service, as one. */
export interface Planes {
  /** Starts all of them, once. @throws what one of them threw; the others are stopped by then */
  start(listen_host?: string): Promise<void>;
  /** Stops all of them, once; calls that go on have `grace_ms` to end. */
  stop(grace_ms?: number): Promise<void>;
}

/** What planes need of the service around them. */
interface PlanesParts {
  options: Pick<ResolvedOptions, "planes" | "hosts" | "peer_keys">;
  engine: Engine;
  keys: ServiceKeys | undefined;
  metrics: Metrics;
  tracing: Tracing;
  log: Logger;
}

/** Sees to it that all planes of a service are started and stopped with it. */
export function createPlanes({ options, engine, keys, metrics, tracing, log }: PlanesParts): Planes {
  const { planes, hosts, peer_keys = {} } = options;
  let starting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;

  async function startAll(listen_host: string): Promise<void> {
    const host: Omit<PlaneHost, "countCall"> = {
      listen_host,
      log,
      authenticate: keys?.authenticate,
      hosts,
      peer_keys,
      stopping: engine.stopping,
      startSpan: tracing.startSpan,
      readTrace,
      find: engine.findIn,
    };
    try {
      for (const plane of planes) {
        await plane.start({ ...host, countCall: (method) => metrics.called(plane.name, method) });
      }
    } catch (error) {
      await stop();
      throw error;
    }
  }

  async function stop(grace_ms = 0): Promise<void> {
    stopping ??= Promise.all(planes.map((plane) => plane.stop(grace_ms))).then(() => undefined);
    await stopping;
  }

  return {
    start(listen_host = "0.0.0.0") {
      starting ??= startAll(listen_host);
      return starting;
    },
    stop,
  };
}
