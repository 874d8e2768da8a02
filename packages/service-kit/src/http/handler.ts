import type { IncomingMessage, ServerResponse } from "node:http";
import { ControlError } from "@aieffect/control-interface";
import { readCorrelationId } from "../observability/correlation.ts";
import { readTrace, traceIdOf } from "../observability/trace.ts";
import type { ServiceParts } from "../service.ts";
import { createAuthenticate } from "./auth.ts";
import { Exchange, namesOf, sendError } from "./exchange.ts";
import { createRoutes, type Route } from "./routes.ts";

/** Answers the calls of the contract; false when the path is none of its own. */
export type ControlHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Open to everybody, key or no key (R-AUTH-03). */
const openPaths = new Set(["/health", "/ready"]);

/**
 * The one piece of code behind the lean server and the Express router: finds the route, checks
 * the key before anything of the body is read, answers, and turns whatever is thrown into an answer.
 */
export function createHandler(service: ServiceParts): ControlHandler {
  const { options, signer, log } = service;
  const authenticate = options.api_keys.length === 0 ? undefined : createAuthenticate(options.api_keys);
  const match = createMatcher(createRoutes(service));

  async function answer(exchange: Exchange, matched: Match): Promise<void> {
    const began = performance.now();
    const { request, response, path, query } = exchange;
    try {
      if (!openPaths.has(path) && !isSigned(path, query)) authenticate?.(request.headers.authorization);
      const method = request.method === "HEAD" ? "GET" : request.method;
      const route = matched.routes.find((candidate) => candidate.method === method);
      if (route === undefined) {
        const allow = matched.routes.flatMap((known) =>
          known.method === "GET" ? ["GET", "HEAD"] : [known.method],
        );
        response.setHeader("allow", allow.join(", "));
        throw new ControlError("method_not_allowed", "Method Not Allowed");
      }
      await route.answer(exchange, matched.id);
      if (log.isLevelEnabled("debug"))
        log.debug(lineOf(exchange, matched, response.statusCode, began), "call");
    } catch (thrown) {
      const error = sendError(response, thrown);
      const level = error.code === "internal" ? "error" : error.status >= 500 ? "warn" : "info";
      const line = lineOf(exchange, matched, error.status, began);
      const said = Array.isArray(error.detail) ? JSON.stringify(error.detail).slice(0, 1000) : error.message;
      const cause = error.code === "internal" ? { err: error.cause } : { error: said };
      log[level]({ ...line, status: "refused", code: error.code, ...cause }, "call refused");
    }
  }

  function isSigned(path: string, query: URLSearchParams): boolean {
    if (signer === undefined || !path.startsWith("/control/data/") || !query.has("signature")) return false;
    return signer.verify(path, query, options.now()) === "valid";
  }

  return (request, response) => {
    const exchange = new Exchange(request, response);
    const matched = match(exchange.path);
    if (matched === undefined) return false;
    void answer(exchange, matched);
    return true;
  };
}

/** The log line of a call (R-LOG-01, R-LOG-02). */
function lineOf(
  { request, path, about, trace }: Exchange,
  { id }: Match,
  http_status: number,
  began: number,
) {
  const correlation_id = readCorrelationId(request.headers);
  return {
    ...(id !== "" && { task_id: id.slice(0, 256) }),
    ...(correlation_id !== undefined && { correlation_id }),
    ...namesOf(about),
    ...traceIdOf(trace ?? readTrace(request.headers)),
    http_method: request.method,
    path: path.slice(0, 256),
    http_status,
    duration_ms: Math.round(performance.now() - began),
  };
}

interface Match {
  routes: readonly Route[];
  id: string;
}

/** Fixed paths by name, the others by their first two segments: no pattern is tried in vain. */
function createMatcher(routes: readonly Route[]): (path: string) => Match | undefined {
  const fixed = new Map<string, Route[]>();
  const prefixed = new Map<string, Route[]>();
  for (const route of routes) {
    const index = route.path.endsWith("/:id") ? prefixed : fixed;
    const key = route.path.replace(/:id$/, "");
    index.set(key, [...(index.get(key) ?? []), route]);
  }
  return (path) => {
    const known = fixed.get(path);
    if (known !== undefined) return { routes: known, id: "" };
    const slash = path.indexOf("/", 1);
    const second = slash < 0 ? -1 : path.indexOf("/", slash + 1);
    if (second < 0) return undefined;
    const routesBelow = prefixed.get(path.slice(0, second + 1));
    const segment = path.slice(second + 1);
    if (routesBelow === undefined || segment === "" || segment.includes("/")) return undefined;
    return { routes: routesBelow, id: decode(segment) };
  };
}

/** A segment that cannot be decoded is looked up as it is, and found unknown. */
function decode(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
