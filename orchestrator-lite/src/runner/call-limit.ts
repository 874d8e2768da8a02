/** How many calls may go on at once; over that they wait, first come first served. */
export interface CallLimit {
  /**
   * Begins a call as soon as there is room, which may be at once; it is handed what it has to call
   * when it is over. The result gives up waiting, and does nothing to a call that began.
   */
  enter(begin: (leave: () => void) => void): () => void;
  /** Forgets all that wait; they never begin. */
  clear(): void;
  /** Calls that go on. */
  readonly going: number;
  /** Calls that wait. */
  readonly waiting: number;
}

/** What may go on at a service at once, whichever workflows it is for. */
export interface ServiceLimits {
  /** Executes. */
  executes: CallLimit;
  /** Everything that is short beside: polls, outputs, cancels. */
  asks: CallLimit;
  /** Whether a poll that begins may be held back until there is news: half of the room stays for what is answered at once. */
  mayHold(): boolean;
}

/** The limits of one service, `max` executes and `max` calls of other kinds. */
export function createServiceLimits(max: number): ServiceLimits {
  const asks = createCallLimit(max);
  return {
    executes: createCallLimit(max),
    asks,
    mayHold: () => asks.waiting === 0 && asks.going <= max / 2,
  };
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
    get going() {
      return going;
    },
    get waiting() {
      return queue.size;
    },
  };
}
