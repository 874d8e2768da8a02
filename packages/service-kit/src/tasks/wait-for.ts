import type { TaskStore } from "../stores/task-store.ts";
import type { Execution } from "./execution.ts";

/** What ends a wait before its condition holds. */
export interface WaitLimits {
  /** Seconds; Infinity for no limit. */
  wait_s: number;
  /** Fire when the caller goes away or the service stops. */
  signals: readonly AbortSignal[];
}

/** Resolves with the execution when `until` holds for it, or as it is when a limit is reached. */
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
    const stop = () => {
      clearTimeout(timer);
      unsubscribe();
      for (const signal of signals) signal.removeEventListener("abort", done);
    };
    const done = () => {
      stop();
      resolve(latest);
    };
    const hear = (next: Execution) => {
      latest = next;
      if (until(next)) done();
    };
    const timer = Number.isFinite(wait_s) ? setTimeout(done, wait_s * 1000) : undefined;
    const unsubscribe = store.subscribe(execution.handle, hear);
    for (const signal of signals) signal.addEventListener("abort", done);
    // It may have changed between being read and being listened to.
    store.find(execution.handle).then(
      (present) => present && hear(present),
      (error) => {
        stop();
        reject(error);
      },
    );
  });
}
