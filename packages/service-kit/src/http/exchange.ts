import type { IncomingMessage, ServerResponse } from "node:http";
import { type ControlError, toControlError } from "@aieffect/control-interface";
import type { Secrets } from "../observability/redact.ts";
import type { TraceContext } from "../observability/trace.ts";
import { idsOf, type TaskNames } from "../tasks/execution.ts";
import { identify, requestIdOf, withRequestId } from "./request-id.ts";
import { finishBody, isBodyToCome, isLittle, skipBody } from "./unread-body.ts";

/** One call: node's request and response, which Express's are too. Splitting the URL never throws. */
export class Exchange {
  readonly request: IncomingMessage & { body?: unknown };
  readonly response: ServerResponse;
  /** Path within the router, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** In the answer, and in every log line about the call (R-REQ-01). */
  readonly request_id: string;
  /** When the call came, on the clock of `performance`. */
  readonly began: number;
  /** What the call is about, for the log, as soon as it is known (R-LOG-01, R-LOG-02). */
  about: TaskNames | undefined;
  /** The trace that the call belongs to: the caller's, or one that began here. */
  trace: TraceContext | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    const url = originForm(request.url ?? "/");
    const mark = url.indexOf("?");
    this.request = request;
    this.response = response;
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1));
    this.request_id = requestIdOf(request.headers);
    this.began = performance.now();
    this.about = undefined;
    this.trace = undefined;
    identify(response, this.request_id);
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
const slash = 47;

/** A server has to take the form that is meant for proxies, too (RFC 9112, 3.2.2). */
function originForm(target: string): string {
  if (target.charCodeAt(0) === slash) return target;
  const rest = /^https?:\/\/[^/?#]*(.*)$/is.exec(target)?.[1];
  if (rest === undefined) return target;
  return rest.startsWith("/") ? rest : `/${rest}`;
}

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
  response.writeHead(status, headOf(response, text, headers));
  response.end(text);
}

function headOf(response: ServerResponse, text: string, headers?: Record<string, string>) {
  const own = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  return withRequestId(response, headers === undefined ? own : Object.assign(own, headers));
}

/** What an error is answered with. */
export interface ErrorParts {
  secrets: Secrets;
  /** So long what is left of the request's body may take to come, in ms. */
  linger_ms: number;
}

/**
 * Answers with an error (R-GEN-04), at once, also when the body of the request is still to come:
 * little of it is taken, then the connection goes. Where an answer has begun, cuts it off so that
 * nobody takes it for whole.
 */
export function sendError(
  response: ServerResponse,
  thrown: unknown,
  { secrets, linger_ms }: ErrorParts,
): ControlError {
  const error = toControlError(thrown);
  if (response.headersSent) {
    response.destroy();
    return error;
  }
  const headers: Record<string, string> = {};
  if (error.code === "unauthorized") headers["www-authenticate"] = "Bearer";
  const { retry_after_s = error.status === 503 ? 1 : undefined } = error;
  if (retry_after_s !== undefined) headers["retry-after"] = String(Math.ceil(retry_after_s));
  const text = secrets.redactJson(JSON.stringify({ detail: error.detail }));
  const { req: request } = response;
  const isToCome = isBodyToCome(request);
  const isLate = error.code === "request_timeout";
  if (isLate || (isToCome && !isLittle(request))) headers.connection = "close";
  response.writeHead(error.status, headOf(response, text, headers));
  if (!isToCome || isLate) {
    response.end(text);
  } else if (headers.connection === undefined) {
    response.end(text);
    void finishBody(response, linger_ms);
  } else {
    // The answer is whole with this; the end of it, which closes the connection, comes when who sends has read it.
    response.write(text);
    void skipBody(request, linger_ms).then(() => response.end());
  }
  return error;
}
