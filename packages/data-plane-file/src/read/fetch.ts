import * as http from "node:http";
import * as https from "node:https";
import type { Readable } from "node:stream";
import { ControlError } from "@aieffect/control-interface";
import type { ResolvedOptions } from "../options.ts";
import { ask, type Manners } from "./ask.ts";
import { givenUp } from "./failures.ts";
import { createPatience, type Patience, type RetryNotice } from "./patience.ts";
import { showUrl } from "./request.ts";
import { Transfer } from "./transfer.ts";

/** What one fetch can be given. */
export interface FetchOptions {
  /** Ends it; it rejects with `aborted`. */
  signal?: AbortSignal | undefined;
  /** W3C trace context to continue (R-TRACE-01). */
  traceparent?: string | undefined;
  /** What goes with the traceparent. @default none */
  tracestate?: string | undefined;
  /**
   * So long a fetch may bring nothing, in ms, all its attempts together; for who has to answer in
   * time. `fetch_idle_timeout_ms` is never longer than this. @default no limit but those of the plane
   */
  patience_ms?: number | undefined;
  /** Told whenever a fetch goes on, or begins anew, after a failure. Must not throw. */
  onRetry?: ((notice: RetryNotice) => void) | undefined;
}

/** What the plane itself adds to a fetch. */
interface FetchRequest extends FetchOptions {
  /** The reader compares the whole with a checksum; spares what would tell another payload from ours meanwhile. */
  verified?: boolean;
  /** Of a peer that is no plain web server; no key of `peer_keys` is sent to it. */
  manners?: Manners;
}

/** Fetches payloads over kept connections. */
export interface Fetcher {
  /** Resolves when the head of the answer is good; `what` names the payload for error texts. */
  fetch(uri: string, request: FetchRequest): Promise<{ body: Readable; what: string }>;
  /** For what is fetched anew because it came damaged. */
  createPatience(options: FetchOptions): Patience;
  /** Closes all connections, also those in use. */
  close(): void;
}

/** Builds a fetcher with connections of its own. */
export function createFetcher(options: ResolvedOptions): Fetcher {
  const { hosts, max_redirects, fetch_retries: retries, fetch_backoff_ms: backoff_ms, peer_keys } = options;
  const kept = { keepAlive: true, maxFreeSockets: 16 };
  const agents = { http: new http.Agent(kept), https: new https.Agent(kept) };
  const asker = { hosts, agents, max_redirects };
  const running = new Set<AbortController>();

  async function fetch(uri: string, request: FetchRequest) {
    const {
      signal: given,
      traceparent,
      tracestate,
      onRetry,
      patience_ms,
      verified = false,
      manners,
    } = request;
    const idle_timeout_ms = Math.min(options.fetch_idle_timeout_ms, patience_ms ?? Number.POSITIVE_INFINITY);
    const url = toUrl(uri);
    const key = manners === undefined ? keyFor(url, peer_keys) : undefined;
    const stop = new AbortController();
    const { signal } = stop;
    const what = manners?.what ?? showUrl(url);
    const onAbort = () => stop.abort(givenUp(`Reading ${what}`, given as AbortSignal));
    if (given?.aborted) onAbort();
    given?.addEventListener("abort", onAbort, { once: true });
    running.add(stop);
    signal.addEventListener("abort", () => running.delete(stop), { once: true });
    try {
      const body = await Transfer.open({
        ask: (range) =>
          ask(
            { url, range, key, manners, traceparent, tracestate, signal },
            { ...asker, timeout_ms: idle_timeout_ms },
          ),
        patience: createPatience({ retries, patience_ms, backoff_ms, remedy: "again", onRetry }),
        verified,
        max_bytes: options.max_fetch_bytes,
        idle_timeout_ms,
        timeout_ms: options.fetch_timeout_ms,
        what,
        stop,
      });
      return { body, what: body.what };
    } catch (error) {
      stop.abort(error);
      throw error;
    } finally {
      // From here on it is the reader who ends it.
      given?.removeEventListener("abort", onAbort);
    }
  }

  return {
    fetch,
    createPatience: ({ onRetry, patience_ms }) =>
      createPatience({ retries, patience_ms, backoff_ms, remedy: "anew", onRetry }),
    close() {
      const closed = new ControlError(
        "unreadable_reference",
        "The data plane was closed while it was reading",
      );
      for (const stop of running) stop.abort(closed);
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function toUrl(uri: string): URL {
  if (URL.canParse(uri)) return new URL(uri);
  const shown = (uri.split(/[?#]/)[0] as string).replace(/\/\/[^/]*@/, "//");
  throw new ControlError("invalid_reference", `Expected a complete URL (R-REF-05), found ${shown}`);
}

function keyFor(url: URL, keys: ReadonlyMap<string, string>): string | undefined {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return keys.get(`${url.hostname}:${port}`) ?? keys.get(url.hostname);
}
