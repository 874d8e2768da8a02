import { ControlError } from "@aieffect/control-interface";
import type { LazyAbort } from "./lazy-abort.ts";

/** Gives a place among the tasks that run at once back. Call it once, when the task is over. */
type Release = () => void;

/** Room among the bytes of all requests for one whose body is still coming. */
export interface BodyRoom {
  /** Takes more of it. @throws ControlError `queue_full` when there is no more */
  take(size_bytes: number): void;
  /** Gives all of it back; what is taken is none from then on. */
  release(): void;
}

/** How much may run and wait. */
export interface SlotLimits {
  /** Tasks at once. */
  max_running: number;
  /** Tasks that wait their turn. */
  max_queued: number;
  /** Bytes of the requests of all tasks that run or wait, and of the bodies that are coming. */
  max_pending_bytes: number;
}

/** Lets so many tasks run at once; the rest wait their turn, and beyond that are refused (R-EXEC-15). */
export interface Slots {
  /**
   * Holds room for a task that is about to be kept: `acquire` follows, or `cancel`. What its body
   * took meanwhile is given back first.
   * @throws ControlError `queue_full` when a request of that size would be too much
   */
  reserve(size_bytes: number, body?: BodyRoom): void;
  /** Gives up room that was held. */
  cancel(size_bytes: number): void;
  /** Takes the room that is held. Resolves when the task may run; rejects with the reason of the abort when that comes first. */
  acquire(size_bytes: number, abort: LazyAbort): Release | Promise<Release>;
  /** Room for a body; none of it is taken yet. */
  createBodyRoom(): BodyRoom;
  readonly running: number;
  readonly waiting: number;
}

export function createSlots({ max_running, max_queued, max_pending_bytes }: SlotLimits): Slots {
  const queue = new Set<() => void>();
  let running = 0;
  let reserved = 0;
  let pendingBytes = 0;

  function take(size_bytes: number): Release {
    running++;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      running--;
      pendingBytes -= size_bytes;
      const [next] = queue;
      next?.();
    };
  }

  /** One that is alone may be larger than the limit. */
  function hasBytes(size_bytes: number, own_bytes = 0): boolean {
    return pendingBytes === own_bytes || pendingBytes + size_bytes <= max_pending_bytes;
  }

  function full(): ControlError {
    return new ControlError(
      "queue_full",
      `Expected at most ${max_running} tasks at once, ${max_queued} waiting and ${max_pending_bytes} bytes of their requests; try again later`,
      { retry_after_s: 1 },
    );
  }

  return {
    reserve(size_bytes, body) {
      body?.release();
      const hasPlace = running + queue.size + reserved < max_running + max_queued;
      if (!hasPlace || !hasBytes(size_bytes)) throw full();
      reserved++;
      pendingBytes += size_bytes;
    },
    createBodyRoom() {
      let taken = 0;
      return {
        take(size_bytes) {
          if (!hasBytes(size_bytes, taken)) throw full();
          taken += size_bytes;
          pendingBytes += size_bytes;
        },
        release() {
          pendingBytes -= taken;
          taken = 0;
        },
      };
    },
    cancel(size_bytes) {
      reserved--;
      pendingBytes -= size_bytes;
    },
    acquire(size_bytes, abort) {
      reserved--;
      if (running < max_running) return take(size_bytes);
      return new Promise((resolve, reject) => {
        const begin = () => {
          queue.delete(begin);
          stopListening();
          resolve(take(size_bytes));
        };
        const stopListening = abort.onAbort((reason) => {
          queue.delete(begin);
          pendingBytes -= size_bytes;
          reject(reason);
        });
        queue.add(begin);
      });
    },
    get running() {
      return running;
    },
    get waiting() {
      return queue.size;
    },
  };
}
