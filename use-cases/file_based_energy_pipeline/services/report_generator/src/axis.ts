/** A mark on an axis. */
export interface Tick {
  value: number;
  label: string;
}

/** Near the smallest numbers there are, a power of ten would be 0. */
const smallest_step = 1e-300;

/** Round numbers that cover this range, about `count` of them; the first and last lie outside or on its ends. */
export function numberTicks(low: number, high: number, count = 6): Tick[] {
  // Divided first: the span of two large numbers would be Infinity.
  const least = high / count - low / count || Math.abs(high) / count || 1 / count;
  const step = roundStep(Math.max(least, smallest_step));
  const ticks: Tick[] = [];
  for (let index = Math.floor(low / step); (index - 1) * step < high; index += 1) {
    const value = Math.min(Math.max(index * step, -Number.MAX_VALUE), Number.MAX_VALUE);
    ticks.push({ value, label: numberLabel(value, step) });
  }
  return ticks;
}

/** As fine as the step needs it; powers of ten where the digits would not fit beside the axis. */
function numberLabel(value: number, step: number): string {
  if (step < 1e-6 || step >= 1e9) return value === 0 ? "0" : value.toExponential(2).replace(/\.?0+e/, "e");
  return withThousands(value.toFixed(Math.max(0, -Math.floor(Math.log10(step)))));
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  ...[1, 10, 100, 1000, 5000, 15_000, 30_000],
  ...[1, 5, 15, 30].map((minutes) => minutes * minute),
  ...[1, 3, 6, 12].map((hours) => hours * hour),
  ...[1, 2, 7, 14, 30, 90, 180, 365].map((days) => days * day),
];

/** Round points in time within this range of epoch ms, at most `count` of them, labelled in UTC. */
export function timeTicks(from: number, to: number, count = 8): Tick[] {
  const fitting = (to - from) / count;
  const years = Math.ceil(fitting / (365 * day)) * 365 * day;
  const step = steps.find((candidate) => candidate >= fitting) ?? years;
  const ticks: Tick[] = [];
  for (let value = Math.ceil(from / step) * step; value <= to; value += step) {
    ticks.push({ value, label: timeLabel(value, step) });
  }
  return ticks;
}

/** `2025-01-31 12:30`, as fine as the step needs it. */
function timeLabel(value: number, step: number): string {
  const text = new Date(value).toISOString().replace("T", " ").replace("Z", "");
  if (step >= day) return text.slice(0, 10);
  if (step >= minute) return text.slice(5, 16);
  return step >= 1000 ? text.slice(11, 19) : text.slice(11);
}

/** 1, 2 or 5 times a power of ten, at least this much. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
}

function withThousands(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, " ");
}
