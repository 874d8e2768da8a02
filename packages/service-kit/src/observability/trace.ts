import { randomBytes } from "node:crypto";

const form = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * Continues a W3C trace: the same trace id and flags under a span id of our own (R-TRACE-01).
 * A header that is no traceparent is ignored, as the recommendation says.
 */
export function continueTrace(header: string | undefined): string | undefined {
  const match = header === undefined ? null : form.exec(header);
  if (match === null || /^0+$/.test(match[1] as string)) return undefined;
  return `00-${match[1]}-${randomBytes(8).toString("hex")}-${match[3]}`;
}

/** The log field of a traceparent. */
export function traceIdOf(traceparent: string | undefined): { trace_id?: string } {
  return traceparent === undefined ? {} : { trace_id: traceparent.slice(3, 35) };
}
