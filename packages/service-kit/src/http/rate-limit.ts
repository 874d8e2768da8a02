import type { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import { ControlError } from "@aieffect/control-interface";
import type * as Limiting from "rate-limiter-flexible";
import type { ResolvedOptions } from "../options.ts";
import { clientAddress, clientOf } from "./client-address.ts";

/** Counts a call of a client. Rejects with ControlError `rate_limited` when it is one too many (R-LIMIT-01). */
export type RateLimiter = (request: IncomingMessage) => Promise<void>;

/** So many clients that are new in a window are counted one by one; those beyond share so many counters. */
const ownCounters = 10_000;
const sharedCounters = 1024;

/** A limit for every client; undefined where none is set. Takes bounded memory, from however many addresses calls come. */
export function createRateLimiter({
  rate_limit,
  trust_proxy,
}: Pick<ResolvedOptions, "rate_limit" | "trust_proxy">): RateLimiter | undefined {
  if (rate_limit === undefined) return undefined;
  // Loading it takes as long as half the rest of the kit: only who has a limit pays for one.
  const { RateLimiterMemory, RateLimiterRes } = createRequire(import.meta.url)(
    "rate-limiter-flexible",
  ) as typeof Limiting;
  const { requests, window_s } = rate_limit;
  const limiter = new RateLimiterMemory({ points: requests, duration: window_s });
  const counterOf = createCounters(window_s * 1000);
  return async (request) => {
    const counter = counterOf(clientOf(clientAddress(request, trust_proxy)));
    try {
      await limiter.consume(counter);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw new ControlError(
        "rate_limited",
        `Expected at most ${requests} calls in ${window_s} s, found more; try again later`,
        { retry_after_s: Math.max(1, error.msBeforeNext / 1000) },
      );
    }
  };
}

/** Names the counter of a client. Who was counted in this window or the one before keeps its own, whoever comes then. */
export function createCounters(window_ms: number, now = () => performance.now()): (client: string) => string {
  let own = new Set<string>();
  let before = own;
  let ends = 0;
  return (client) => {
    const time = now();
    if (time >= ends) {
      before = time < ends + window_ms ? own : new Set();
      own = new Set();
      ends = time + window_ms;
    }
    if (own.has(client)) return client;
    // Those who come back may be as many again, and no more: windows must not add up.
    const room = before.has(client) ? 2 * ownCounters : ownCounters;
    if (own.size >= room) return `shared ${hashOf(client) % sharedCounters}`;
    own.add(client);
    return client;
  };
}

/** Good enough to spread strangers. */
function hashOf(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++)
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) >>> 0;
  return hash;
}
