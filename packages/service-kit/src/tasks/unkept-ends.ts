import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { type Execution, type ExecutionChange, hasEnded, idsOf } from "./execution.ts";

/** What the ends need of the runner around them. */
export interface UnkeptEndsParts {
  /** Asks the store to keep an end; gives the execution as it is kept, with an earlier end if it has one. */
  keep(execution: Execution, change: ExecutionChange): Promise<Execution>;
  log: Logger;
  /** Epoch ms. */
  now(): number;
}

/** Ends of tasks that the store has refused, and that it is asked to keep until it does. */
export interface UnkeptEnds {
  /**
   * Resolves with the execution when its end is kept. The caller of a sequential one waits about 10 s
   * for that, and is told then that it failed; that is what is kept from then on.
   */
  add(execution: Execution, change: ExecutionChange): Promise<Execution>;
  has(handle: string): boolean;
  /** The execution with the end that a caller was told, while the store does not know it. */
  asTold(execution: Execution): Execution;
  /** Resolves when all are kept, or given up. */
  settled(): Promise<unknown>;
  /** Stops trying, and logs what is lost by that. */
  giveUp(): void;
}

const firstPause_ms = 50;
const longestPause_ms = 5000;
/** So long the caller of a sequential operation waits, of the 30 s that it has (R-READ-11). */
const callerWaits_ms = 10_000;

const notKept = {
  status: "failed",
  error:
    "The task ended, but its result could not be kept, because the service cannot reach its store; send the task again",
  retryable: true,
  output: null,
  payload: undefined,
} as const satisfies ExecutionChange;

interface Unkept {
  /** What the caller was told, once it was. */
  told: ExecutionChange | undefined;
  over: Promise<void>;
}

export function createUnkeptEnds({ keep, log, now }: UnkeptEndsParts): UnkeptEnds {
  const all = new Map<string, Unkept>();
  const closed = new AbortController();

  async function tryUntilKept(
    execution: Execution,
    first: ExecutionChange,
    unkept: Unkept,
    tell: (ended: Execution) => void,
  ): Promise<void> {
    const deadline = execution.style === "sequential" ? now() + callerWaits_ms : Number.POSITIVE_INFINITY;
    let change = first;
    for (let pause_ms = firstPause_ms; ; pause_ms = Math.min(2 * pause_ms, longestPause_ms)) {
      await pause(pause_ms, undefined, { signal: closed.signal }).catch(() => {});
      if (closed.signal.aborted) {
        log.error(idsOf(execution), "the end of a task is lost: the store never took it");
        return tell({ ...execution, ...change, ...(change.status === "complete" && notKept) });
      }
      try {
        return tell(await keep(execution, change));
      } catch (error) {
        if (unkept.told !== undefined || now() < deadline) continue;
        // Nobody may be told of a completion that is not kept; what failed, failed.
        if (change.status === "complete") change = { ...change, ...notKept };
        unkept.told = change;
        tell({ ...execution, ...change });
        log.warn({ err: error, ...idsOf(execution) }, "a caller was told that its task failed");
      }
    }
  }

  return {
    add: (execution, change) =>
      new Promise((resolve) => {
        const unkept: Unkept = { told: undefined, over: Promise.resolve() };
        all.set(execution.handle, unkept);
        unkept.over = tryUntilKept(execution, change, unkept, resolve).finally(() => {
          all.delete(execution.handle);
        });
      }),
    has: (handle) => all.has(handle),
    asTold(execution) {
      const told = all.get(execution.handle)?.told;
      return told === undefined || hasEnded(execution) ? execution : { ...execution, ...told };
    },
    settled: () => Promise.all([...all.values()].map(({ over }) => over)),
    giveUp: () => closed.abort(),
  };
}
