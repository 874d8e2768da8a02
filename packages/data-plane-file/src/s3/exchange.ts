import * as http from "node:http";
import * as https from "node:https";
import { pipeline } from "node:stream";
import { ControlError, type HostPolicy } from "@aieffect/control-interface";

/** What is sent; opened anew for every attempt. */
export interface S3Body {
  size_bytes: number;
  /** In hex; the store refuses bytes that have another. */
  sha256: string;
  open(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** One request, with all that goes over the wire. */
export interface Exchange {
  origin: URL;
  method: string;
  /** Encoded, with the query. */
  path: string;
  /** Signed. */
  headers: http.OutgoingHttpHeaders;
  body: S3Body | undefined;
  agent: http.Agent | https.Agent | false;
  hosts: HostPolicy;
  /** So long nothing may move, in ms. */
  idle_timeout_ms: number;
  /** So long a store may take to say that it wants a large body before it gets it, in ms. */
  consent_ms: number;
  /** Fires with a ControlError as its reason. */
  signal: AbortSignal;
}

/** A store's answer. Its body is small. */
export interface S3Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

const longestAnswer = 64 * 1024;

/** Nothing moved for too long. */
export class Silence extends Error {}

/** Nothing came over a connection that was kept open: not a word about whether the store is well. */
export class StaleConnection extends Error {}

/**
 * Sends one request and reads its answer, whatever its status. With `expect: 100-continue` among
 * the headers the body waits until the store wants it, so that a refusal is heard and not written
 * over (RFC 9110, section 10.1.1).
 *
 * @throws the body's own error, the signal's reason, {@link Silence}, {@link StaleConnection}, or
 * an error of the system
 */
export function exchange(given: Exchange): Promise<S3Answer> {
  const { origin, method, path, headers, body, agent, hosts, idle_timeout_ms, consent_ms, signal } = given;
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw signal.reason;
    hosts.assertUrl(origin);
    const request = (origin.protocol === "https:" ? https : http).request(origin, {
      method,
      path,
      headers,
      agent,
      lookup: hosts.lookup,
    });
    let isBegun = false;
    let isAnswered = false;
    let failure: unknown;
    const send = () => {
      if (isBegun) return;
      isBegun = true;
      pipeline(watched(body?.open() ?? []), request, () => {});
    };
    /** A source that fails ends the connection without a word of why. */
    async function* watched(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
      try {
        yield* pieces;
      } catch (error) {
        failure = error;
        throw error;
      }
    }
    const asks = headers.expect !== undefined;
    const consent = asks ? setTimeout(send, consent_ms) : undefined;
    const onAbort = () => request.destroy(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const settle = () => {
      clearTimeout(consent);
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (error: NodeJS.ErrnoException) => {
      settle();
      const isStale = request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      const own = failure ?? (signal.aborted ? signal.reason : undefined);
      reject(own ?? (isStale ? new StaleConnection(error.message, { cause: error }) : error));
    };
    request.setTimeout(idle_timeout_ms, () => request.destroy(new Silence()));
    request.on("continue", send);
    request.on("error", fail);
    request.on("response", (response) => {
      isAnswered = true;
      clearTimeout(consent);
      readText(response).then((text) => {
        settle();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        // The store did not want the body, or not all of it: nothing else can go over this connection.
        if (!request.writableFinished) request.destroy();
      }, fail);
    });
    request.on("close", () => {
      // After an answer or an error this changes nothing; a 101 comes here alone.
      const nothing = "the connection ended without an answer";
      if (!isAnswered)
        fail(new ControlError("invalid_reply", `Could not reach ${origin.origin}: ${nothing}`));
    });
    if (asks) request.flushHeaders();
    else send();
  });
}

async function readText(response: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) if (text.length < longestAnswer) text += chunk;
  return text;
}
