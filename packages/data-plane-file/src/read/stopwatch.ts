/** Measures how long a fetch has taken so far, without the time in which nobody wanted more of it. */
export interface Stopwatch {
  /** Goes on, if it stands. */
  start(): void;
  stop(): void;
}

/** A stopwatch that calls back, once, when it has gone for so long, in ms. */
export function createStopwatch(limit_ms: number, onLimit: () => void): Stopwatch {
  let left_ms = limit_ms;
  let since: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  return {
    start() {
      if (since !== undefined || limit_ms === Number.POSITIVE_INFINITY) return;
      since = performance.now();
      timer = setTimeout(onLimit, Math.max(0, left_ms));
    },
    stop() {
      if (since === undefined) return;
      clearTimeout(timer);
      left_ms -= performance.now() - since;
      since = undefined;
    },
  };
}
