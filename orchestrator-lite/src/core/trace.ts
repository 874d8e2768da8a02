/** W3C trace context; ids of zeros, and version ff, are not valid. */
const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * The trace that all calls of a workflow continue (R-TRACE-01): the submitter's, or a new one, so that
 * what every service did for the workflow is found under one id. A submitter's that is malformed is
 * left out, as the recommendation asks.
 *
 * @param ids 48 hexadecimal digits for a new one
 */
export function toTraceparent(given: string | undefined, ids: () => string): string {
  if (given !== undefined && form.test(given)) return given;
  const digits = ids();
  // Sampled (01), although nothing is recorded here: a service that records follows its caller's
  // flag by default, so that 00 would turn its traces off, and one that does not record pays nothing.
  return `00-${digits.slice(0, 32)}-${digits.slice(32, 48)}-01`;
}

/** The part of a traceparent that is the same in every service. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}
