import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Orchestrator } from "../create-orchestrator.ts";
import type { ResolvedOptions } from "../options.ts";

/** An HTTP server that listens. */
export interface StartedServer {
  /** Base URL under which this machine reaches it. */
  url: string;
  /** Stops listening; answers that are on their way get 2 s. */
  close(): Promise<void>;
}

/** What the HTTP API needs of an orchestrator. */
export type OrchestratorCore = Omit<Orchestrator, "url" | "close" | "watch" | "wait">;

const grace_ms = 2000;

/** Serves the HTTP API. @throws Error when the port is taken, saying what to do */
export async function startServer(core: OrchestratorCore, options: ResolvedOptions): Promise<StartedServer> {
  const { host, port } = options;
  const server = createServer(createListener(core, options));
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const hint =
        error.code === "EADDRINUSE" ? "something listens there already; choose another port" : error.message;
      reject(new Error(`Expected to listen on ${host}:${port}, found that ${hint}`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${reachable(address)}:${address.port}`,
    async close() {
      const force = setTimeout(() => server.closeAllConnections(), grace_ms);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      clearTimeout(force);
    },
  };
}

/**
 * Answers the health check itself and hands everything else to the app, which is loaded when it is
 * first needed: the router takes as long to load as all the rest.
 */
function createListener(core: OrchestratorCore, options: ResolvedOptions): RequestListener {
  let app: Promise<RequestListener> | undefined;
  let loaded: RequestListener | undefined;
  async function load(): Promise<RequestListener> {
    const { createApp } = await import("./app.ts");
    loaded = createApp(core, options);
    return loaded;
  }
  return (request, response) => {
    if (isHealthCheck(request)) return answerHealth(response);
    if (loaded !== undefined) return loaded(request, response);
    app ??= load();
    app.then(
      (handle) => handle(request, response),
      (error: Error) => {
        options.logger?.error({ err: error }, "the HTTP API could not be loaded");
        response.writeHead(500, { "content-type": "application/json" });
        response.end(JSON.stringify({ detail: "Internal error; the orchestrator's log has the details" }));
      },
    );
  };
}

function isHealthCheck({ method, url }: IncomingMessage): boolean {
  return url === "/health" && (method === "GET" || method === "HEAD");
}

/** Never needs a key (R-HEALTH-01, R-HEALTH-02). */
function answerHealth(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end('{"status":"ok"}');
}

/** "All addresses" is no address to call. */
function reachable({ address, family }: AddressInfo): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  if (address === "::") return "[::1]";
  return family === "IPv6" ? `[${address}]` : address;
}
