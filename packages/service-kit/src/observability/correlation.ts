import type { IncomingHttpHeaders } from "node:http";

/** The caller's name for what it does, where it is one that can stand in a log (R-LOG-02). */
export function readCorrelationId(headers: IncomingHttpHeaders): string | undefined {
  const given = headers["x-correlation-id"];
  return typeof given === "string" && /^[\x20-\x7e]{1,256}$/.test(given) ? given : undefined;
}
