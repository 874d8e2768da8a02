import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";

/** The header of R-REQ-01. */
const header = "x-request-id";
const form = /^[\w.:-]{1,128}$/;

/** Of this process alone, so that counting is enough for the rest. */
const prefix = randomBytes(6).toString("base64url");
let count = 0;

/** A new id for a call. */
export function createRequestId(): string {
  return `${prefix}-${++count}`;
}

/** The caller's id of a call where it gave a proper one, else a new one (R-REQ-01). */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers[header];
  return typeof given === "string" && form.test(given) ? given : createRequestId();
}

const id = Symbol("request id");
type Identified = ServerResponse & { [id]?: string };

/** Notes the id that every answer on this response has to carry. */
export function identify(response: ServerResponse, request_id: string): void {
  (response as Identified)[id] = request_id;
}

/** The id that was noted for a response. */
export function idOf(response: ServerResponse | null | undefined): string | undefined {
  return (response as Identified | null | undefined)?.[id];
}

/** The headers of an answer with its id. Whoever writes a head gives them to `writeHead`, which is quick, or calls {@link setRequestId}. */
export function withRequestId<H extends Record<string, string | number>>(
  response: ServerResponse,
  headers: H,
): H {
  const request_id = idOf(response);
  if (request_id !== undefined) (headers as Record<string, string | number>)[header] = request_id;
  return headers;
}

/** Puts the id on a response whose head somebody else will write. */
export function setRequestId(response: ServerResponse): void {
  const request_id = idOf(response);
  if (request_id !== undefined) response.setHeader(header, request_id);
}
