/** The time, and being called when it has come; passed in so that tests can hold it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Calls back after a delay in ms; the result takes the timer back.
   * @param background the process may end before it is due
   */
  setTimer(delay_ms: number, callback: () => void, background?: boolean): () => void;
}

/** Longer delays overflow Node's timers; whoever waits longer is called early and has to look again. */
const longestDelay_ms = 2 ** 31 - 1;

/** The real time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(delay_ms, callback, background = false) {
    const timer = setTimeout(callback, Math.min(Math.max(delay_ms, 0), longestDelay_ms));
    if (background) timer.unref();
    return () => clearTimeout(timer);
  },
};
