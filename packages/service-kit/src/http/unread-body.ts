import type { IncomingMessage, ServerResponse } from "node:http";

/** So much of a body that nobody wants is taken from the wire: less than a new connection would cost. */
const most_bytes = 64 * 1024;

/** Whether more of a body is to come than what is here. */
export function isBodyToCome({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Whether what is to come is little, so that the connection can be used again. */
export function isLittle({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] === undefined && Number(headers["content-length"]) <= most_bytes;
}

/**
 * Goes on with a request that was answered, for a moment: who still sends has to get the answer, and
 * closing a connection with bytes unread would take it away again (RFC 9112, 9.6). What is much stays
 * with the sender.
 *
 * @returns whether the whole body came
 */
export function skipBody(request: IncomingMessage, within_ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    let size = 0;
    const timer = setTimeout(settle, within_ms, false);
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size > most_bytes) request.pause();
    };
    function settle(whole: boolean): void {
      clearTimeout(timer);
      request.off("data", take).pause();
      resolve(whole);
    }
    request.on("data", take);
    request.once("end", () => settle(true));
    request.once("close", () => settle(request.complete));
    request.on("error", () => settle(false));
    request.resume();
    if (request.destroyed) settle(request.complete);
  });
}

/** Takes what is left of a body after an answer; where that is too much or too slow, the connection goes. */
export async function finishBody({ req: request }: ServerResponse, within_ms: number): Promise<void> {
  if (!isBodyToCome(request)) return;
  if (!(await skipBody(request, within_ms))) request.destroy();
}
