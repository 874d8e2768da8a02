import type { IncomingMessage, ServerResponse } from "node:http";
import { ControlError } from "@aieffect/control-interface";
import type { ServiceParts } from "../service.ts";
import { Exchange } from "./exchange.ts";
import { continueBody } from "./expect.ts";
import { lineOf, refuse } from "./refuse.ts";
import { createRoutes, type Route } from "./routes.ts";
import type { ServiceKeys } from "./service-keys.ts";
import { finishBody } from "./unread-body.ts";

/** Answers the calls of the contract; false when the path is none of its own. */
export type ControlHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Open to everybody, key or no key (R-AUTH-03). */
const openPaths = new Set(["/health", "/ready"]);

/**
 * The one piece of code behind the lean server and the Express router: finds the route, checks
 * the caller before anything of the body is read, answers, and turns whatever is thrown into an answer.
 */
export function createHandler(service: ServiceParts): ControlHandler {
  const { options, keys, limit, log, secrets } = service;
  const match = createMatcher(createRoutes(service));
  const isOpen = keys === undefined && limit === undefined;

  async function answer(exchange: Exchange, matched: Match): Promise<void> {
    const { request, response } = exchange;
    try {
      if (!isOpen && !openPaths.has(exchange.path)) {
        // First of all: guessing keys is what a limit is for as well.
        if (limit !== undefined) await limit(request);
        if (keys !== undefined && !isSigned(exchange, keys)) keys.authenticate(request.headers.authorization);
      }
      const method = request.method === "HEAD" ? "GET" : request.method;
      const route = matched.routes.find((candidate) => candidate.method === method);
      if (route === undefined) {
        const allow = matched.routes.flatMap((known) =>
          known.method === "GET" ? ["GET", "HEAD"] : [known.method],
        );
        response.setHeader("allow", allow.join(", "));
        throw new ControlError("method_not_allowed", "Method Not Allowed");
      }
      if (request.headers.expect !== undefined) continueBody(response);
      await route.answer(exchange, matched.id);
      if (!request.complete) void finishBody(response, options.body_timeout_ms);
      if (log.isLevelEnabled("debug"))
        log.debug(lineOf(exchange, response.statusCode, secrets, matched.id), "call");
    } catch (thrown) {
      refuse(exchange, thrown, service, matched.id);
    }
  }

  return (request, response) => {
    const exchange = new Exchange(request, response);
    const matched = match(exchange.path);
    if (matched === undefined) return false;
    void answer(exchange, matched);
    return true;
  };
}

function isSigned({ path, query }: Exchange, keys: ServiceKeys): boolean {
  return path.startsWith("/control/data/") && query.has("signature") && keys.isSigned(path, query);
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
