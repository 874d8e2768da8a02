import { ControlError } from "@aieffect/control-interface";

/** A place among the tasks that run at once. Call it once, when the task is over. */
type Release = () => void;

/** Lets so many tasks run at once; the rest wait their turn, and beyond that are refused (R-EXEC-15). */
export interface Slots {
  /** @throws ControlError `queue_full` when no more may wait */
  assertRoom(): void;
  /** Resolves when the task may run. */
  acquire(): Release | Promise<Release>;
  readonly running: number;
  readonly waiting: number;
}

export function createSlots(max_running: number, max_queued: number): Slots {
  const queue: ((release: Release) => void)[] = [];
  let running = 0;

  function take(): Release {
    running++;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      running--;
      const next = queue.shift();
      next?.(take());
    };
  }

  return {
    assertRoom() {
      if (running < max_running || queue.length < max_queued) return;
      throw new ControlError(
        "queue_full",
        `Expected at most ${max_running} tasks at once and ${max_queued} waiting; try again later`,
        { retry_after_s: 1 },
      );
    },
    acquire() {
      if (running < max_running) return take();
      return new Promise((resolve) => queue.push(resolve));
    },
    get running() {
      return running;
    },
    get waiting() {
      return queue.length;
    },
  };
}
