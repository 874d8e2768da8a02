import type { Clock } from "./clock.ts";

/** How many ended workflows are kept, and how long. */
export interface RetentionOptions {
  /** Ended workflows kept at most. */
  max_ended: number;
  /** How long an ended workflow is kept, in seconds. */
  keep_ended_s: number;
}

/** Remembers which workflows ended when, and says when one is to be forgotten. */
export interface Retention {
  /** A workflow has ended now. */
  add(workflow_id: string): void;
  /** A workflow was removed by someone else. */
  remove(workflow_id: string): void;
  /** Stops forgetting. */
  stop(): void;
}

/** Calls `forget` for every ended workflow that is too old or one too many, oldest first. */
export function createRetention(
  { max_ended, keep_ended_s }: RetentionOptions,
  clock: Clock,
  forget: (workflow_id: string) => void,
): Retention {
  /** In the order of their ends. */
  const ended = new Map<string, number>();
  let stopTimer: (() => void) | undefined;

  function sweep(): void {
    for (const [workflow_id, ended_at] of ended) {
      const left_ms = ended_at + keep_ended_s * 1000 - clock.now();
      if (ended.size <= max_ended && left_ms > 0) {
        arm(left_ms);
        return;
      }
      ended.delete(workflow_id);
      forget(workflow_id);
    }
  }

  /** One timer at a time: one that is early only looks again. */
  function arm(delay_ms: number): void {
    stopTimer ??= clock.setTimer(
      delay_ms,
      () => {
        stopTimer = undefined;
        sweep();
      },
      true,
    );
  }

  return {
    add(workflow_id) {
      ended.set(workflow_id, clock.now());
      if (stopTimer === undefined || ended.size > max_ended) sweep();
    },
    remove(workflow_id) {
      ended.delete(workflow_id);
    },
    stop() {
      stopTimer?.();
    },
  };
}
