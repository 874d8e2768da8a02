import { ControlError, toControlError } from "@aieffect/control-interface";
import { continueTrace, readTrace } from "../observability/trace.ts";
import type { TraceSpan, Tracing } from "../observability/tracing.ts";
import { type Exchange, namesOf } from "./exchange.ts";

/** How a route answers; `id` is the one in its path. */
export type Answer = (exchange: Exchange, id: string) => Promise<void> | void;

/**
 * Answers within a span that continues the caller's trace. Where nobody records spans, the trace is
 * continued all the same (R-TRACE-01).
 */
export function answerTraced(tracing: Tracing, route: string, answer: Answer): Answer {
  return (exchange, id) => {
    const caller = readTrace(exchange.request.headers);
    const span = tracing.startSpan(route, "server", caller);
    exchange.trace = span ?? continueTrace(caller);
    return span === undefined ? answer(exchange, id) : measured(span, exchange, () => answer(exchange, id));
  };
}

async function measured(
  span: TraceSpan,
  exchange: Exchange,
  answer: () => Promise<void> | void,
): Promise<void> {
  const { request, response } = exchange;
  let status: number | undefined;
  let failure: unknown;
  try {
    await span.run(answer);
    if (!response.writableEnded) failure = new ControlError("aborted", "The caller went away");
  } catch (thrown) {
    const error = toControlError(thrown);
    status = error.status;
    // A caller's mistake is not this service's failure.
    if (error.status >= 500) failure = thrown;
    throw thrown;
  } finally {
    span.set({
      ...namesOf(exchange.about),
      "http.request.method": request.method ?? "",
      "http.response.status_code": status ?? response.statusCode,
    });
    span.end(failure);
  }
}
