import type { TaskStore } from "../stores/task-store.ts";
import { countChanges, type Execution } from "./execution.ts";

/** What ends a wait before its condition holds. */
export interface WaitLimits {
  /** Seconds; Infinity for no limit. */
  wait_s: number;
  /** Fire when the caller goes away or the service stops. */
  signals: readonly AbortSignal[];
}

/**
 * Resolves with the execution when `until` holds for it, or as it is when a limit is reached; never
 * with an older state than the one that was passed, or told meanwhile.
 */
export function waitFor(
  store: TaskStore,
  execution: Execution,
  until: (next: Execution) => boolean,
  { wait_s, signals }: WaitLimits,
): Promise<Execution> {
  if (until(execution) || wait_s <= 0 || signals.some(({ aborted }) => aborted))
    return Promise.resolve(execution);
  return new Promise((resolve, reject) => {
    let latest = execution;
    let told = false;
    const stop = () => {
      clearTimeout(timer);
      unsubscribe();
      for (const signal of signals) signal.removeEventListener("abort", done);
    };
    const done = () => {
      stop();
      resolve(latest);
    };
    const see = (next: Execution) => {
      if (countChanges(next) < countChanges(latest)) return;
      latest = next;
      if (until(next)) done();
    };
    const hear = (next: Execution) => {
      told = true;
      see(next);
    };
    const timer = Number.isFinite(wait_s) ? setTimeout(done, wait_s * 1000) : undefined;
    const unsubscribe = store.subscribe(execution.handle, hear);
    for (const signal of signals) signal.addEventListener("abort", done);
    // It may have changed between being read and being listened to.
    store.find(execution.handle).then(
      (present) => {
        // What was told came later than what is read now, or is the same.
        if (present === undefined || (told && countChanges(present) === countChanges(latest))) return;
        see(present);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}
