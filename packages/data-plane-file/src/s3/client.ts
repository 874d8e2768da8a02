import * as http from "node:http";
import * as https from "node:https";
import { ControlError, type HostPolicy } from "@aieffect/control-interface";
import { curable, givenUp, mayPass, reasonOf } from "../read/failures.ts";
import { createPatience } from "../read/patience.ts";
import { addressOf, type S3Object, showObject } from "./address.ts";
import { exchange, type S3Answer, type S3Body, Silence, StaleConnection } from "./exchange.ts";
import { explainFailure, isPassing, readFailure, type S3Failure } from "./failure.ts";
import type { ResolvedS3 } from "./resolve-s3.ts";
import { emptySha256, signHeaders } from "./sign.ts";

/** One call to a store. */
export interface S3Call {
  method: "PUT" | "POST" | "DELETE" | "HEAD";
  object: S3Object;
  /** Encoded, without `?`. @default none */
  query?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: S3Body;
  signal?: AbortSignal | undefined;
}

/** Speaks to a store over kept connections. */
export interface S3Client {
  /**
   * Resolves when the store has done it. What may pass is tried again: a busy store, a cut
   * connection.
   *
   * @throws ControlError `peer_refused` or `storage_full` with an {@link S3Failure} as its cause,
   * `unreachable`, `timeout`, `aborted`, or the body's own error
   */
  call(call: S3Call): Promise<S3Answer>;
  /** Closes all connections, also those in use. */
  close(): void;
}

/** How a client behaves when things go wrong. */
export interface S3ClientOptions {
  hosts: HostPolicy;
  /** So long nothing may move, in ms. */
  idle_timeout_ms: number;
  /** Attempts after the first. */
  retries: number;
  /** Before the first of them, in ms; doubled for each further one. */
  backoff_ms: number;
  /** So long a store may take to say that it wants a large body before it gets it, in ms. */
  consent_ms: number;
}

/** A smaller body is quicker sent than asked about. */
const asksFrom_bytes = 256 * 1024;

/** Builds a client with connections of its own. */
export function createS3Client(s3: ResolvedS3, options: S3ClientOptions): S3Client {
  const { hosts, idle_timeout_ms, retries, backoff_ms, consent_ms } = options;
  const kept = { keepAlive: true, maxFreeSockets: 8 };
  const agents = { http: new http.Agent(kept), https: new https.Agent(kept) };
  const ofStore = s3.endpoint.protocol === "https:" ? agents.https : agents.http;

  async function call(given: S3Call): Promise<S3Answer> {
    const { signal: outer, object } = given;
    const stop = new AbortController();
    const onAbort = () => stop.abort(givenUp(`Publishing ${showObject(object)}`, outer as AbortSignal));
    if (outer?.aborted) onAbort();
    outer?.addEventListener("abort", onAbort, { once: true });
    const patience = createPatience({ retries, backoff_ms, remedy: "again", onRetry: undefined });
    try {
      for (;;) {
        try {
          return toDone(given, await send(given, stop.signal));
        } catch (error) {
          await patience.again(error, 0, stop.signal);
        }
      }
    } finally {
      outer?.removeEventListener("abort", onAbort);
    }
  }

  async function send(given: S3Call, signal: AbortSignal): Promise<S3Answer> {
    const { method, object, query, headers = {}, body } = given;
    const { origin, path: plain } = addressOf(s3, object);
    const path = query === undefined ? plain : `${plain}?${query}`;
    const sent = {
      ...headers,
      ...(method !== "HEAD" && { "content-length": body?.size_bytes ?? 0 }),
      ...((body?.size_bytes ?? 0) >= asksFrom_bytes && { expect: "100-continue" }),
    };
    const signable = { method, host: origin.host, path };
    // Signed anew for every attempt: a signature is good for 15 minutes.
    const signed = signHeaders(signable, sent, body?.sha256 ?? emptySha256, s3.signer);
    const parts = { origin, method, path, headers: signed, body, hosts, idle_timeout_ms, consent_ms, signal };
    try {
      return await exchange({ ...parts, agent: ofStore }).catch((error: unknown) => {
        if (!(error instanceof StaleConnection)) throw error;
        return exchange({ ...parts, agent: false });
      });
    } catch (error) {
      throw broken(showObject(object), error, idle_timeout_ms);
    }
  }

  /** @throws ControlError unless the answer says that it was done */
  function toDone({ object }: S3Call, answer: S3Answer): S3Answer {
    const { status, headers, body } = answer;
    // CompleteMultipartUpload begins its answer with a 200 before it knows.
    if (status < 300 && !/<Error[\s>]/.test(body)) return answer;
    const failure = readFailure(status, headers, body);
    const why = explainFailure(failure, { action: "write", bucket: object.bucket, region: s3.signer.region });
    const error = new ControlError(
      failure.status === 507 ? "storage_full" : "peer_refused",
      `Could not publish ${showObject(object)}: ${why}`,
      { cause: failure, peer_status: status },
    );
    throw isPassing(failure) ? curable("again", error) : error;
  }

  return {
    call,
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** What a store said when it refused a call. */
export function failureOf(error: unknown): S3Failure | undefined {
  const isRefusal = error instanceof ControlError && error.peer_status !== undefined;
  return isRefusal ? (error.cause as S3Failure) : undefined;
}

/** A ControlError stays as it is: the caller's abort, a host that is refused, a file that changed. */
function broken(uri: string, error: unknown, idle_timeout_ms: number): ControlError {
  if (error instanceof ControlError) return error;
  if (error instanceof Silence) {
    const message = `Could not publish ${uri}: nothing moved for ${idle_timeout_ms / 1000} s; is the store alive? The option \`fetch_idle_timeout_ms\` sets the limit`;
    return curable("again", new ControlError("timeout", message));
  }
  const message = `Could not publish ${uri}: ${reasonOf(error)}`;
  const unreachable = new ControlError("unreachable", message, { cause: error });
  return mayPass(error) ? curable("again", unreachable) : unreachable;
}
