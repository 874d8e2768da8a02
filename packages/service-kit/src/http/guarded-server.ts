import {
  createServer,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import type { ServeOptions } from "../options.ts";
import { awaitContinue } from "./expect.ts";
import { createRequestId, identify, idOf, requestIdOf, withRequestId } from "./request-id.ts";
import { skipBody } from "./unread-body.ts";

/** Longer than the pause between two polls, or the poller meets a connection that is just closing. */
const keepAlive_ms = 75_000;
/** What a request may take in the end, uploads included; JSON bodies and idle transfers have limits of their own. */
const wholeRequest_ms = 3_600_000;
/** Refused connections are told of once in so long, in ms: they come in floods. */
const tellEvery_ms = 60_000;
/** So long a client may take to fetch why its connection is closed, in ms. */
const farewell_ms = 1000;

/**
 * Node's server with limits for slow and greedy clients, and with an answer in JSON (R-GEN-04) for
 * what never becomes a request: heads that are broken, too large or too late, methods and
 * expectations that nobody has.
 */
export function createGuardedServer(
  { headers_timeout_ms, max_header_bytes, max_connections }: Required<ServeOptions>,
  { log }: { log: Logger },
  answer: RequestListener,
): Server {
  const server = createServer({
    headersTimeout: headers_timeout_ms,
    requestTimeout: Math.max(wholeRequest_ms, headers_timeout_ms),
    // Node looks for what is too late in this rhythm.
    connectionsCheckingInterval: Math.max(20, Math.min(1000, headers_timeout_ms / 4)),
    maxHeaderSize: max_header_bytes,
    keepAliveTimeout: keepAlive_ms,
    // Whatever NODE_OPTIONS say: what proxies and we read differently is how requests are smuggled.
    insecureHTTPParser: false,
    // Checked below, for an answer like the others.
    requireHostHeader: false,
  });
  if (Number.isFinite(max_connections)) server.maxConnections = max_connections;

  server.on("request", (request, response) => {
    if (request.headers.host === undefined && request.httpVersion === "1.1") {
      return refuseRequest(response, 400, "Expected a Host header, found none", log);
    }
    answer(request, response);
  });
  server.on("checkContinue", (request, response) => {
    awaitContinue(response);
    server.emit("request", request, response);
  });
  server.on("checkExpectation", (_request, response) => {
    refuseRequest(response, 417, "Expected no expectation but 100-continue", log);
  });
  server.on("connect", (request, socket) => {
    const request_id = requestIdOf(request.headers);
    sayFarewell(
      socket,
      405,
      "Expected a request for this server, found CONNECT; this is no proxy",
      request_id,
      {
        allow: "GET, HEAD, POST",
      },
    );
    logRefusal(log, request_id, 405);
  });
  const refused = new WeakSet<Duplex>();
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // The parser objects to every piece that still comes.
    if (refused.has(socket)) return;
    refused.add(socket);
    const [status, detail] = faults[error.code ?? ""] ?? notHttp;
    const request_id = endConnection(socket, status, detail);
    if (request_id !== undefined) logRefusal(log, request_id, status, error.code);
  });

  let told = Number.NEGATIVE_INFINITY;
  server.on("drop", () => {
    if (performance.now() - told < tellEvery_ms) return;
    told = performance.now();
    log.warn({ max_connections }, "connections are refused: there are as many as max_connections allows");
  });
  return server;
}

/** Node's and its parser's names for what they do not take. */
const faults: Record<string, [status: number, detail: string]> = {
  HPE_HEADER_OVERFLOW: [
    431,
    "Expected a smaller head of the request; the option max_header_bytes sets the limit",
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "Expected chunks without extensions"],
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    "Expected the request to come without pauses, found it incomplete when its time was over",
  ],
};
const notHttp: [number, string] = [400, "Expected a request of HTTP/1.1, found something else"];

/** Answers at once, and closes when who sends has had a moment to read that. */
function refuseRequest(response: ServerResponse, status: number, detail: string, log: Logger): void {
  const request_id = requestIdOf(response.req.headers);
  identify(response, request_id);
  const text = JSON.stringify({ detail });
  const head = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  response.writeHead(status, withRequestId(response, { ...head, connection: "close" }));
  response.write(text);
  void skipBody(response.req, farewell_ms).then(() => response.end());
  logRefusal(log, request_id, status);
}

function logRefusal(log: Logger, request_id: string, http_status: number, code?: string): void {
  log.debug({ request_id, http_status, code, status: "refused" }, "connection refused");
}

/** Answers without a request, and closes. */
function sayFarewell(
  socket: Duplex,
  status: number,
  detail: string,
  request_id: string,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify({ detail });
  const head = {
    ...headers,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-request-id": request_id,
    connection: "close",
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on("error", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
  // Who still sends gets a moment to read this: bytes left unread would cut the connection at once.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), farewell_ms);
  socket.once("close", () => clearTimeout(timer));
}

/** @returns the id of the answer, where one can still be given */
function endConnection(
  socket: Duplex & { _httpMessage?: ServerResponse | null },
  status: number,
  detail: string,
): string | undefined {
  // Node's own handler looks at this, too; there is no public name for it.
  const pending = socket._httpMessage;
  if (pending?.req.complete) {
    // What is wrong came after a good request, whose answer must not be taken from it or mixed with another.
    pending.once("finish", () => socket.end());
    pending.once("close", () => socket.destroy());
    return undefined;
  }
  if (!socket.writable || pending?.headersSent) {
    socket.destroy();
    return undefined;
  }
  const request_id = idOf(pending) ?? createRequestId();
  sayFarewell(socket, status, detail, request_id);
  return request_id;
}
