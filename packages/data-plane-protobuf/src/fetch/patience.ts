import { setTimeout as pause } from "node:timers/promises";
import { ControlError } from "@aieffect/control-interface";
import { type CallFailure, givenUp, type Source, toUnreadable } from "./failures.ts";

/** How long failures are put up with. */
export interface PatienceOptions {
  source: Source;
  /** Attempts in a row after the first. */
  retries: number;
  /** So long attempts in a row may bring nothing, in ms, all of them together. */
  idle_ms: number;
  /** Before the first of them, in ms; doubled for each further one. */
  backoff_ms: number;
  signal: AbortSignal | undefined;
  onRetry(attempt: number, failure: CallFailure): void;
}

/** Counts failures of one fetch, and waits between attempts. */
export interface Patience {
  /** Something came: failures are counted from the beginning. */
  progressed(): void;
  /** The reader wants more; what it did in the meantime is not the peer's time. */
  resumed(): void;
  /** What is left of the time in which something has to come, in ms. */
  left_ms(): number;
  /** Resolves when it is time for another attempt. @throws ControlError when another one would not help, or there were enough */
  again(failure: CallFailure | ControlError): Promise<void>;
}

const longestBackoff_ms = 5_000;

export function createPatience(options: PatienceOptions): Patience {
  const { source, retries, idle_ms, backoff_ms, signal, onRetry } = options;
  let failures = 0;
  let since = performance.now();
  return {
    progressed() {
      failures = 0;
      since = performance.now();
    },
    resumed() {
      since = performance.now();
    },
    left_ms: () => Math.max(1, idle_ms - (performance.now() - since)),
    async again(failure) {
      if (signal?.aborted) throw givenUp(source, signal);
      if (failure instanceof ControlError) throw failure;
      failures++;
      const backoff = Math.min(backoff_ms * 2 ** (failures - 1), longestBackoff_ms);
      // Not all who were cut off together come back together.
      const wait_ms = backoff * (0.75 + Math.random() / 2);
      const late = performance.now() - since + wait_ms >= idle_ms;
      if (!failure.passing || failures > retries || late) throw toUnreadable(source, failure, failures);
      onRetry(failures, failure);
      await pause(wait_ms, undefined, { signal }).catch(() => {
        throw givenUp(source, signal as AbortSignal);
      });
    },
  };
}
