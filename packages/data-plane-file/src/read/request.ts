import * as http from "node:http";
import * as https from "node:https";
import { ControlError, type HostPolicy } from "@aieffect/control-interface";
import { curable, toUnreadable } from "./failures.ts";

/** One GET. */
export interface PlainRequest {
  url: URL;
  /** In place of the URL's own path and query. */
  path?: string | undefined;
  headers: http.OutgoingHttpHeaders;
  agent: http.Agent | https.Agent;
  hosts: HostPolicy;
  /** Until the head of the answer is there, in ms. */
  timeout_ms: number;
  /** Its reason is the error to reject with. */
  signal: AbortSignal;
}

/** A URL as it may be shown: without user, password and query, which can be keys. */
export function showUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/**
 * Sends a GET and resolves with the head of the answer, whatever its status; the body is still to
 * be read. A kept connection that the peer closed meanwhile is replaced once.
 *
 * @throws ControlError `unreadable_reference`, or `aborted`
 */
export async function request(plain: PlainRequest): Promise<http.IncomingMessage> {
  const what = showUrl(plain.url);
  plain.hosts.assertUrl(plain.url);
  try {
    return await send(plain, what, plain.agent);
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw toUnreadable(what, error);
  }
  return send(plain, what, false).catch((error: unknown) => {
    throw toUnreadable(what, error);
  });
}

/** Nothing came over a connection that was kept open: not a word about whether the peer is well. */
class StaleConnection extends Error {}

function send(plain: PlainRequest, what: string, agent: http.Agent | false): Promise<http.IncomingMessage> {
  const { url, path, headers, hosts, timeout_ms, signal } = plain;
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw signal.reason;
    const call = (url.protocol === "https:" ? https : http).request(url, {
      agent,
      headers,
      lookup: hosts.lookup,
      ...(path !== undefined && { path }),
    });
    const timer = setTimeout(() => call.destroy(unanswered(what, timeout_ms)), timeout_ms);
    const onAbort = () => call.destroy(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    call.on("response", (response) => {
      settle();
      resolve(response);
    });
    call.on("error", (error: NodeJS.ErrnoException) => {
      settle();
      const stale = call.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      reject(stale ? new StaleConnection(error.message, { cause: error }) : error);
    });
    call.on("close", () => {
      settle();
      // After an answer or an error this changes nothing; a 101 comes here alone, and no other try would help.
      reject(
        new ControlError(
          "unreadable_reference",
          `Cannot read ${what}: the connection ended without an answer`,
        ),
      );
    });
    call.end();
  });
}

function unanswered(what: string, timeout_ms: number): ControlError {
  const message = `Cannot read ${what}: no answer within ${timeout_ms / 1000} s; is the peer alive? The option \`fetch_idle_timeout_ms\` sets the limit`;
  return curable("again", new ControlError("unreadable_reference", message));
}
