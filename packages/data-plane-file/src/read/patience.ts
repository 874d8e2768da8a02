import { setTimeout as pause } from "node:timers/promises";
import { ControlError } from "@aieffect/control-interface";
import { type Remedy, remedyOf } from "./failures.ts";

/** A fetch that goes on after a failure. */
export interface RetryNotice {
  /** How often in a row it is tried again now, from 1. */
  attempt: number;
  /** What went wrong; names the payload. */
  reason: string;
  /** Bytes that are there already, and are not asked for again where the peer has byte ranges. */
  offset: number;
}

/** How long failures are put up with. */
export interface PatienceOptions {
  /** Attempts in a row after the first. */
  retries: number;
  /** So long attempts in a row may bring nothing, in ms, all of them together; undefined: no limit. */
  patience_ms?: number | undefined;
  /** Before the first of them, in ms; doubled for each further one. */
  backoff_ms: number;
  /** Which failures are put up with. */
  remedy: Remedy;
  onRetry: ((notice: RetryNotice) => void) | undefined;
}

/** Counts failures, and waits between attempts. */
export interface Patience {
  /**
   * Resolves when it is time for another attempt.
   *
   * @param offset bytes that are there by now
   * @throws the error itself when another attempt would not help, or there were enough; the
   * signal's reason when it fires meanwhile
   */
  again(error: unknown, offset: number, signal: AbortSignal | undefined): Promise<void>;
}

/** Once so many bytes came, failures are counted from the beginning. */
const progress = 2 ** 20;
const longestBackoff_ms = 5_000;
const longestRetryAfter_ms = 10_000;

/** Patience for one payload. */
export function createPatience(options: PatienceOptions): Patience {
  const { retries, patience_ms = Number.POSITIVE_INFINITY, backoff_ms, remedy, onRetry } = options;
  let failures = 0;
  let countedFrom = 0;
  let stuckAt = 0;
  let stuckSince = performance.now();
  return {
    async again(error, offset, signal) {
      if (remedyOf(error) !== remedy) throw error;
      if (signal?.aborted) throw signal.reason;
      if (offset - countedFrom >= progress) {
        failures = 0;
        countedFrom = offset;
      }
      if (offset > stuckAt) {
        stuckAt = offset;
        stuckSince = performance.now();
      }
      failures++;
      const failure = error as ControlError;
      if (failures > retries) throw tried(failure, failures);
      const backoff = Math.min(backoff_ms * 2 ** (failures - 1), longestBackoff_ms);
      // Not all who were cut off together come back together.
      const spread = backoff * (0.75 + Math.random() / 2);
      const asked = Math.min((failure.retry_after_s ?? 0) * 1000, longestRetryAfter_ms);
      const wait_ms = Math.max(spread, asked);
      if (performance.now() - stuckSince + wait_ms >= patience_ms) throw tried(failure, failures);
      onRetry?.({ attempt: failures, reason: failure.message, offset });
      await pause(wait_ms, undefined, { signal }).catch(() => {
        throw signal?.reason;
      });
    },
  };
}

function tried(error: ControlError, times: number): ControlError {
  if (times === 1) return error;
  const { code, message, cause, peer_status } = error;
  const facts = peer_status === undefined ? { cause } : { cause, peer_status };
  return new ControlError(code, `${message} (tried ${times} times)`, facts);
}
