import type { ControlError } from "@aieffect/control-interface";
import type { Logger } from "pino";
import { readCorrelationId } from "../observability/correlation.ts";
import { type Secrets, toShown } from "../observability/redact.ts";
import { readTrace, traceIdOf } from "../observability/trace.ts";
import { type Exchange, namesOf, sendError } from "./exchange.ts";

/** What refusing needs of the service around it. */
export interface RefuseParts {
  log: Logger;
  secrets: Secrets;
  options: { body_timeout_ms: number };
}

/** So long a caller that was refused may go on sending, in ms. */
const longestLinger_ms = 5000;

/** Answers a call with what was thrown, and says so in the log. */
export function refuse(
  exchange: Exchange,
  thrown: unknown,
  { log, secrets, options }: RefuseParts,
  id?: string,
): ControlError {
  const linger_ms = Math.min(longestLinger_ms, options.body_timeout_ms);
  const error = sendError(exchange.response, thrown, { secrets, linger_ms });
  const level = error.code === "internal" ? "error" : error.status >= 500 ? "warn" : "info";
  const said = Array.isArray(error.detail) ? JSON.stringify(error.detail) : error.message;
  const cause = error.code === "internal" ? { err: error.cause } : { error: toShown(said, secrets, 1000) };
  const line = lineOf(exchange, error.status, secrets, id);
  log[level]({ ...line, status: "refused", code: error.code, ...cause }, "call refused");
  return error;
}

/** The log line of a call (R-LOG-01, R-LOG-02, R-REQ-01). */
export function lineOf(
  { request, path, about, trace, request_id, began }: Exchange,
  http_status: number,
  secrets: Secrets,
  id = "",
): Record<string, unknown> {
  const correlation_id = readCorrelationId(request.headers);
  return {
    request_id,
    ...(id !== "" && { task_id: toShown(id, secrets, 256) }),
    ...(correlation_id !== undefined && { correlation_id }),
    ...namesOf(about),
    ...traceIdOf(trace ?? readTrace(request.headers)),
    http_method: request.method,
    path: toShown(path, secrets, 256),
    http_status,
    duration_ms: Math.round(performance.now() - began),
  };
}
