import * as http from "node:http";
import * as https from "node:https";
import { pipeline } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { ControlError, type HostPolicy } from "@aieffect/control-interface";
import { assertWanted, givenUp, reasonOf } from "../read/failures.ts";
import { addressOf, type S3Object, toS3Uri } from "./address.ts";
import { explainFailure, isPassing, readFailure, type S3Failure } from "./failure.ts";
import type { ResolvedS3 } from "./resolve-s3.ts";
import { emptySha256, signHeaders } from "./sign.ts";

/** What is sent; opened anew for every attempt. */
export interface S3Body {
  size_bytes: number;
  /** In hex; the store refuses bytes that have another. */
  sha256: string;
  open(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

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

/** A store's answer; its body is small, or cut after {@link maxAnswer} characters. */
export interface S3Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** Speaks to a store over kept connections. */
export interface S3Client {
  /**
   * Resolves when the store has done it. What may pass is tried again: a busy store, a cut
   * connection.
   *
   * @throws ControlError `peer_refused` with an {@link S3Failure} as cause, `unreachable`,
   * `timeout` or `aborted`
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
  retries: number;
  /** The first pause before a retry, in ms; every further one is twice as long, up to 100 times this. */
  backoff_ms: number;
}

const maxAnswer = 64 * 1024;
/** From here on a body is sent only when the store has seen the head and wants it (RFC 9110, 10.1.1). */
const asksFirstFrom = 256 * 1024;
/** Stores that do not know how to say that they want it get it after this time, in ms. */
const asksFor_ms = 1_000;

export function createS3Client(s3: ResolvedS3, options: S3ClientOptions): S3Client {
  const { hosts, idle_timeout_ms, retries, backoff_ms } = options;
  const kept = { keepAlive: true, maxFreeSockets: 8 };
  const agents = { "http:": new http.Agent(kept), "https:": new https.Agent(kept) };

  async function call(given: S3Call): Promise<S3Answer> {
    for (let tried = 0; ; tried++) {
      const { answer, error, passing } = await attempt(given);
      if (answer !== undefined) return answer;
      if (!passing || tried >= retries) throw error;
      await pause(Math.min(2 ** tried, 100) * backoff_ms, given);
    }
  }

  async function attempt(
    given: S3Call,
  ): Promise<{ answer?: S3Answer; error?: ControlError; passing?: boolean }> {
    const uri = toS3Uri(given.object);
    try {
      const answer = await send(given);
      // CompleteMultipartUpload begins its answer with a 200 before it knows.
      if (answer.status < 300 && !/<Error[\s>]/.test(answer.body)) return { answer };
      const failure = readFailure(answer.status, answer.headers, answer.body);
      return { error: refused(uri, failure, given.object.bucket), passing: isPassing(failure) };
    } catch (thrown) {
      if (thrown instanceof ControlError) return { error: thrown };
      return { error: broken(uri, thrown), passing: isCut(thrown) };
    }
  }

  function refused(uri: string, failure: S3Failure, bucket: string): ControlError {
    const why = explainFailure(failure, { action: "write", bucket, region: s3.signer.region });
    const code = failure.status === 507 ? "storage_full" : "peer_refused";
    return new ControlError(code, `Could not publish ${uri}: ${why}`, {
      cause: failure,
      peer_status: failure.status,
    });
  }

  function send({ method, object, query, headers = {}, body, signal }: S3Call): Promise<S3Answer> {
    assertWanted(`Publishing ${toS3Uri(object)}`, signal);
    const { origin, path: plain } = addressOf(s3, object);
    hosts.assertUrl(origin);
    const path = query === undefined ? plain : `${plain}?${query}`;
    const asksFirst = (body?.size_bytes ?? 0) >= asksFirstFrom;
    const all = signHeaders(
      { method, host: origin.host, path },
      {
        ...headers,
        ...(method !== "HEAD" && { "content-length": body?.size_bytes ?? 0 }),
        ...(asksFirst && { expect: "100-continue" }),
      },
      body?.sha256 ?? emptySha256,
      s3.signer,
    );
    return new Promise((resolve, reject) => {
      const isHttps = origin.protocol === "https:";
      const request = (isHttps ? https : http).request(origin, {
        method,
        path,
        headers: all,
        agent: agents[isHttps ? "https:" : "http:"],
        lookup: hosts.lookup,
      });
      const settle = (action: () => void) => {
        clearTimeout(asking);
        signal?.removeEventListener("abort", onAbort);
        action();
      };
      const onAbort = () => request.destroy(givenUp(`Publishing ${toS3Uri(object)}`, signal as AbortSignal));
      signal?.addEventListener("abort", onAbort, { once: true });
      let isSent = false;
      const sendBody = () => {
        clearTimeout(asking);
        if (isSent) return;
        isSent = true;
        // What goes wrong with the source reaches the request as its error.
        pipeline(body?.open() ?? [], request, (error) => error && request.destroy(error));
      };
      const asking = asksFirst ? setTimeout(sendBody, asksFor_ms) : undefined;
      request.setTimeout(idle_timeout_ms, () => request.destroy(new Silence()));
      request.on("continue", sendBody);
      request.on("response", (response) => {
        readText(response).then(
          (text) => {
            settle(() =>
              resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
            );
            // A body that the store did not want, or not all of: the connection is good for nothing more.
            if (!request.writableFinished) request.destroy();
          },
          (error: unknown) => settle(() => reject(error)),
        );
      });
      request.on("error", (error) => settle(() => reject(error)));
      if (asksFirst) request.flushHeaders();
      else sendBody();
    });
  }

  async function pause(longest_ms: number, { object, signal }: S3Call): Promise<void> {
    // Not all at the same time: who was cut together would come back together.
    const wait_ms = longest_ms * (0.5 + Math.random() / 2);
    await sleep(wait_ms, undefined, signal && { signal }).catch(() =>
      assertWanted(`Publishing ${toS3Uri(object)}`, signal),
    );
  }

  return {
    call,
    close() {
      agents["http:"].destroy();
      agents["https:"].destroy();
    },
  };
}

/** What a store said when it refused a call. */
export function failureOf(error: unknown): S3Failure | undefined {
  const isRefusal = error instanceof ControlError && error.peer_status !== undefined;
  return isRefusal ? (error.cause as S3Failure) : undefined;
}

class Silence extends Error {}

const cuts = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "ERR_STREAM_PREMATURE_CLOSE",
]);

function isCut(error: unknown): boolean {
  return error instanceof Silence || cuts.has((error as NodeJS.ErrnoException).code ?? "");
}

function broken(uri: string, error: unknown): ControlError {
  if (error instanceof Silence) {
    return new ControlError(
      "timeout",
      `Could not publish ${uri}: nothing moved for too long; is the store alive? The option \`fetch_idle_timeout_ms\` sets the limit`,
    );
  }
  return new ControlError("unreachable", `Could not publish ${uri}: ${reasonOf(error)}`, { cause: error });
}

async function readText(response: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) if (text.length < maxAnswer) text += chunk;
  return text;
}
