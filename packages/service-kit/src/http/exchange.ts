import type { IncomingMessage, ServerResponse } from "node:http";
import { type ControlError, toControlError } from "@aieffect/control-interface";
import type { TraceContext } from "../observability/trace.ts";
import { idsOf, type TaskNames } from "../tasks/execution.ts";

/** One call: node's request and response, which Express's are too. Splitting the URL never throws. */
export class Exchange {
  readonly request: IncomingMessage & { body?: unknown };
  readonly response: ServerResponse;
  /** Path within the router, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** What the call is about, for the log, as soon as it is known (R-LOG-01, R-LOG-02). */
  about: TaskNames | undefined;
  /** The trace that the call belongs to: the caller's, or one that began here. */
  trace: TraceContext | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    this.request = request;
    this.response = response;
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1));
    this.about = undefined;
    this.trace = undefined;
  }

  /** A signal that fires when the caller goes away before it has its answer. */
  gone(): AbortSignal {
    const controller = new AbortController();
    if (this.response.destroyed) controller.abort(callerGone);
    else this.response.once("close", () => controller.abort(callerGone));
    return controller.signal;
  }
}

const noQuery = new URLSearchParams();
const callerGone = "the caller went away";

/** What a line of the log, or a span, says of the task that a call is about. */
export function namesOf(about: TaskNames | undefined) {
  if (about === undefined) return {};
  return { ...idsOf(about), ...(about.handle !== undefined && { handle: about.handle }) };
}

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
