import type { ServerResponse } from "node:http";

const waiting = new WeakSet<ServerResponse>();

/** Notes that the caller waits to be told to send its body (`Expect: 100-continue`, RFC 9110, 10.1.1). */
export function awaitContinue(response: ServerResponse): void {
  waiting.add(response);
}

/** Tells a caller that waits to send its body. Who is refused before that never sends it. */
export function continueBody(response: ServerResponse): void {
  if (waiting.delete(response)) response.writeContinue();
}
