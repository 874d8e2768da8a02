import type { IncomingMessage, ServerResponse } from "node:http";
import { type ControlError, toControlError } from "@aieffect/control-interface";

/** One call: node's request and response, which Express's are too. Splitting the URL never throws. */
export class Exchange {
  readonly request: IncomingMessage & { body?: unknown };
  readonly response: ServerResponse;
  /** Path within the router, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** What the call is about, for the log, as soon as it is known (R-LOG-01). */
  about: { workflow_id?: string; task_id?: string; method?: string } | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    this.request = request;
    this.response = response;
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1));
    this.about = undefined;
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
  const { retry_after_s = error.status === 503 ? 1 : undefined } = error;
  if (retry_after_s !== undefined) headers["retry-after"] = String(Math.ceil(retry_after_s));
  sendJson(response, error.status, { detail: error.detail }, headers);
  return error;
}
