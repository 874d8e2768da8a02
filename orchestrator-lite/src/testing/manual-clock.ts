import type { Clock } from "../runner/clock.ts";

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** Goes on by some ms, calling what comes due on the way, in order. */
  advance(ms: number): void;
  /** Delays of the timers that are set, in ms from now, in order. */
  pending(): number[];
}

/** A clock that starts at the beginning of 2026. */
export function manualClock(): ManualClock {
  let now = Date.UTC(2026, 0, 1);
  const timers = new Set<{ at: number; callback: () => void }>();
  const next = () => [...timers].sort((a, b) => a.at - b.at)[0];
  return {
    now: () => now,
    setTimer(delay_ms, callback) {
      const timer = { at: now + Math.max(delay_ms, 0), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      for (let timer = next(); timer !== undefined && timer.at <= end; timer = next()) {
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.callback();
      }
      now = end;
    },
    pending: () => [...timers].map(({ at }) => at - now).sort((a, b) => a - b),
  };
}
