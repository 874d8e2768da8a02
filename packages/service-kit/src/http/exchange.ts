import type { IncomingMessage, ServerResponse } from "node:http";
import { type ControlError, toControlError } from "@aieffect/control-interface";

/** One call: node's request and response, which Express's are too. */
export interface Exchange {
  request: IncomingMessage & { body?: unknown };
  response: ServerResponse;
  /** Path within the router, without query. */
  path: string;
  query: URLSearchParams;
  /** What the call is about, for the log, as soon as it is known (R-LOG-01). */
  about?: { workflow_id?: string; task_id?: string; method?: string };
  /** A signal that fires when the caller goes away before it has its answer; made when asked for. */
  gone(): AbortSignal;
}

/** Splits the URL; never throws, whatever the path. */
export function openExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  return {
    request,
    response,
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1)),
    gone() {
      const controller = new AbortController();
      if (response.destroyed) controller.abort(callerGone);
      else response.once("close", () => controller.abort(callerGone));
      return controller.signal;
    },
  };
}

const noQuery = new URLSearchParams();
const callerGone = "the caller went away";

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers?: Record<string, string>,
): void {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  const own = { "content-type": "application/json", "content-length": length };
  response.writeHead(status, headers === undefined ? own : { ...own, ...headers });
  response.end(text);
}

/** Answers with an error (R-GEN-04); where an answer has begun, cuts it off so that nobody takes it for whole. */
export function sendError(response: ServerResponse, thrown: unknown): ControlError {
  const error = toControlError(thrown);
  if (response.headersSent) {
    response.destroy();
    return error;
  }
  const headers: Record<string, string> = {};
  if (error.code === "unauthorized") headers["www-authenticate"] = "Bearer";
  if (error.retry_after_s !== undefined) headers["retry-after"] = String(Math.ceil(error.retry_after_s));
  sendJson(response, error.status, { detail: error.detail }, headers);
  return error;
}
