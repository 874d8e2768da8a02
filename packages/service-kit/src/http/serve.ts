import type { AddressInfo } from "node:net";
import { resolveServeOptions, type ServeOptions } from "../options.ts";
import type { Service } from "../service.ts";
import { createApp } from "./app.ts";
import { createGuardedServer } from "./guarded-server.ts";

/** A server that listens. */
export interface RunningService {
  /** Where it can be called from this machine. */
  url: string;
  port: number;
  /** Stops as SIGTERM does: no new calls, `grace_ms` for running tasks, then they are aborted. */
  close(): Promise<void>;
}

/**
 * Serves on its own: the control interface, /health, /ready, /metrics, /openapi.json and /docs.
 * The control interface is answered ahead of Express, by the same code that `controlRouter` uses.
 *
 * @throws Error when the port is taken, saying so
 * @throws ControlError `store_unavailable` when the store of tasks cannot be used, saying why
 */
export async function serve(service: Service, given: ServeOptions = {}): Promise<RunningService> {
  const options = resolveServeOptions(given);
  await service.parts.store.ready();
  service.removeLeftFolders();
  await service.startPlanes(options.host);
  const app = createApp(service);
  const server = createGuardedServer(options, service.parts, (request, response) => {
    if (!service.handle(request, response)) app(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, options)));
    server.listen(options.port, options.host, resolve);
  }).catch(async (error: unknown) => {
    // Nobody would stop them.
    await service.stopPlanes();
    throw error;
  });
  const { port } = server.address() as AddressInfo;
  service.setSelfUrl(`http://localhost:${port}`);
  const { log, operations } = service.parts;
  const url = `http://${isWildcard(options.host) ? "127.0.0.1" : bracketed(options.host)}:${port}`;
  log.info({ url, self_url: service.selfUrl(), operations: [...operations.keys()] }, "listening");

  let closing: Promise<void> | undefined;
  let signalled = false;
  const close = () => {
    closing ??= stop();
    return closing;
  };
  async function stop(): Promise<void> {
    log.info({ running: service.parts.engine.queue.running }, "stopping");
    const closed = new Promise((resolve) => server.close(resolve));
    const cut = setTimeout(() => server.closeAllConnections(), options.grace_ms + 1000);
    try {
      await service.close(options.grace_ms);
    } finally {
      // A connection can fall idle at any moment from now on.
      const sweeping = setInterval(() => server.closeIdleConnections(), 50);
      await closed;
      clearInterval(sweeping);
      clearTimeout(cut);
      // After a signal the process is about to end, and another one must not end it in the middle of that.
      if (!signalled) for (const signal of signals) process.off(signal, onSignal);
    }
  }
  const onSignal = () => {
    // A second signal is impatience, or a terminal and a supervisor at once: running tasks are aborted
    // now, but still in an orderly way.
    signalled = true;
    if (closing !== undefined) {
      service.parts.engine.stop(0).catch((error: unknown) => log.error({ err: error }, "stopping failed"));
      return;
    }
    close()
      .catch((error: unknown) => log.error({ err: error }, "stopping failed"))
      .finally(() => {
        // The process is over when nothing is left to do. An operation that ignores its signal would keep it for ever.
        setTimeout(() => process.exit(), 1000).unref();
      });
  };
  const signals: NodeJS.Signals[] = options.handle_signals ? ["SIGTERM", "SIGINT"] : [];
  for (const signal of signals) process.on(signal, onSignal);
  return { url, port, close };
}

function explain(error: NodeJS.ErrnoException, { host, port }: Required<ServeOptions>): Error {
  const { code = "" } = error;
  if (["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN"].includes(code)) {
    const message = `Expected HOST to be an address of this machine, found ${host} (${code}); set it to 0.0.0.0 for all of them`;
    return new Error(message, { cause: error });
  }
  if (code === "EACCES") {
    const message = `This process may not listen on port ${port}; set PORT to one above 1023`;
    return new Error(message, { cause: error });
  }
  if (code !== "EADDRINUSE") return error;
  return new Error(`Port ${port} on ${host} is taken; set PORT to another one, or to 0 for a free one`, {
    cause: error,
  });
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
