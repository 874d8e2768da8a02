import { cpus } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";

/** How quiet the machine was while something was timed (monitor W6). */
export interface Quiet {
  quiet: boolean;
  /** Longest delay of the harness's own event loop, in ms. */
  lag_ms: number;
  /** Share of all processors that was busy, 0 to 1. */
  busy: number;
}

/** So much the harness itself may be late before its measurements say nothing. */
const mostLag_ms = 100;
const mostBusy = 0.9;

/** Watches the machine from now on; call the result for what was seen. */
export function watchQuiet(): () => Quiet {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  const before = cpuTimes();
  return () => {
    delays.disable();
    const after = cpuTimes();
    const total = after.total - before.total;
    const busy = total <= 0 ? 0 : 1 - (after.idle - before.idle) / total;
    const lag_ms = Math.max(0, delays.max / 1e6 - 10);
    return { quiet: lag_ms <= mostLag_ms && busy <= mostBusy, lag_ms, busy };
  };
}

function cpuTimes(): { total: number; idle: number } {
  let total = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { total, idle };
}
