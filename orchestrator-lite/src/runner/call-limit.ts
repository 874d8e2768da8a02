/** How many calls may go on at once; over that they wait, first come first served. */
export interface CallLimit {
  /**
   * Begins a call as soon as there is room, which may be at once; it is handed what it has to call
   * when it is over. The result gives up waiting, and does nothing to a call that began.
   */
  enter(begin: (leave: () => void) => void): () => void;
  /** Forgets all that wait; they never begin. */
  clear(): void;
  /** Whether a call would begin at once. */
  readonly has_room: boolean;
  /** Calls that go on. */
  readonly going: number;
  /** Calls that wait. */
  readonly waiting: number;
}

/** What may go on at a service at once, whichever workflows it is for. */
export interface ServiceLimits {
  executes: CallLimit;
  /** Polls that are held back until there is news. Nobody waits for these: a poll can be a short one. */
  holds: CallLimit;
  /** What is answered at once: other polls, outputs, cancels. */
  asks: CallLimit;
}

/** The limits of one service, `max` calls of each kind. */
export function createServiceLimits(max: number): ServiceLimits {
  return { executes: createCallLimit(max), holds: createCallLimit(max), asks: createCallLimit(max) };
}

/** A limit of `max` calls. */
export function createCallLimit(max: number): CallLimit {
  // A set keeps the order in which they came, and finds one that gives up.
  const queue = new Set<() => void>();
  let going = 0;

  function leaveOnce(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      going--;
      for (const next of queue) {
        queue.delete(next);
        next();
        return;
      }
    };
  }

  return {
    enter(begin) {
      const go = () => {
        going++;
        begin(leaveOnce());
      };
      if (going < max) {
        go();
        return () => {};
      }
      queue.add(go);
      return () => void queue.delete(go);
    },
    clear: () => queue.clear(),
    get has_room() {
      return going < max;
    },
    get going() {
      return going;
    },
    get waiting() {
      return queue.size;
    },
  };
}
