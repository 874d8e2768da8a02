import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** Where a call or a task stands in a W3C trace, as it is told over the wire. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
}

/** The parts of a traceparent. */
export interface TraceIds {
  trace_id: string;
  span_id: string;
  /** 8 bits; the lowest one says that the trace is recorded. */
  flags: number;
}

const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** A header that is no traceparent is ignored, as the recommendation says, and a tracestate without one too. */
export function readTrace({ traceparent, tracestate }: IncomingHttpHeaders): TraceContext | undefined {
  if (typeof traceparent !== "string" || !form.test(traceparent)) return undefined;
  return { traceparent, tracestate: typeof tracestate === "string" ? tracestate : undefined };
}

/** Takes a traceparent apart; undefined where it is none. */
export function toTraceIds(traceparent: string): TraceIds | undefined {
  const match = form.exec(traceparent);
  if (match === null) return undefined;
  const [, trace_id, span_id, flags] = match as unknown as [string, string, string, string];
  return { trace_id, span_id, flags: Number.parseInt(flags, 16) };
}

/** Puts a traceparent together. */
export function toTraceparent({ trace_id, span_id, flags }: TraceIds): string {
  return `00-${trace_id}-${span_id}-${flags.toString(16).padStart(2, "0")}`;
}

/** Continues a trace that nobody records here: the same trace and flags, a span id of our own (R-TRACE-01). */
export function continueTrace(trace: TraceContext | undefined): TraceContext | undefined {
  const ids = trace === undefined ? undefined : toTraceIds(trace.traceparent);
  if (ids === undefined) return undefined;
  return { traceparent: toTraceparent({ ...ids, span_id: randomBytes(8).toString("hex") }) };
}

/** The log field of a trace. */
export function traceIdOf(trace: TraceContext | undefined): { trace_id?: string } {
  return trace === undefined ? {} : { trace_id: trace.traceparent.slice(3, 35) };
}
