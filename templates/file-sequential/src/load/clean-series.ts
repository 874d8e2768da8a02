import { findOutliers } from "./find-outliers.ts";
import type { Reading } from "./read-series.ts";

/** What a value of the result rests on. */
export type Quality = "measured" | "outlier" | "interpolated" | "profile";

/** A value on the grid. */
export interface CleanRow {
  time: number;
  load_kw: number;
  quality: Quality;
}

/** How a series is cleaned. */
export interface CleanOptions {
  interval_minutes?: number | undefined;
  max_gap_minutes: number;
  outlier_threshold: number;
}

const minute_ms = 60_000;
const day_ms = 24 * 60 * minute_ms;
/** More values than that, twenty years in minutes, are a timestamp gone wrong. */
const max_values = 20 * 366 * 24 * 60;

/** Brings readings to a grid, fills its gaps and replaces outliers; says how many of each there were. */
export function cleanSeries(
  readings: readonly Reading[],
  options: CleanOptions,
): { rows: CleanRow[]; counts: Record<Quality | "duplicates", number> } {
  const known = new Map<number, number>();
  let duplicates = 0;
  for (const { time, load_kw } of readings) {
    if (load_kw === undefined) continue;
    if (known.has(time)) duplicates++;
    else known.set(time, load_kw);
  }
  const times = [...known.keys()].sort((one, other) => one - other);
  const first = times[0];
  if (first === undefined) throw new Error("Expected at least one reading with a load, found none");
  const step =
    options.interval_minutes === undefined ? usualStep(times) : options.interval_minutes * minute_ms;
  const grid = onGrid(times, known, step);
  const outliers = new Set(findOutliers(grid, options.outlier_threshold));
  const values = grid.map((value, index) => (outliers.has(index) ? undefined : value));
  const start = Math.floor(first / step) * step;
  const profile = profileOf(values, start, step);
  const max_gap = Math.max(1, Math.floor((options.max_gap_minutes * minute_ms) / step));
  const counts = { measured: 0, outlier: 0, interpolated: 0, profile: 0, duplicates };
  const rows = values.map((value, index): CleanRow => {
    const time = start + index * step;
    const filled = value === undefined ? fill(values, index, max_gap) : undefined;
    const usual = profile.get(time % day_ms) ?? profile.get(undefined) ?? 0;
    const quality: Quality = outliers.has(index)
      ? "outlier"
      : value !== undefined
        ? "measured"
        : filled !== undefined
          ? "interpolated"
          : "profile";
    counts[quality]++;
    return { time, load_kw: value ?? filled ?? usual, quality };
  });
  return { rows, counts };
}

/** The most frequent distance of two readings. */
function usualStep(times: readonly number[]): number {
  const counts = new Map<number, number>();
  for (let at = 1; at < times.length; at++) {
    const distance = (times[at] as number) - (times[at - 1] as number);
    counts.set(distance, (counts.get(distance) ?? 0) + 1);
  }
  const [step] = [...counts].sort((one, other) => other[1] - one[1])[0] ?? [15 * minute_ms];
  return Math.max(step, 1000);
}

/** The mean of the readings of each interval. */
function onGrid(times: readonly number[], known: ReadonlyMap<number, number>, step: number) {
  const start = Math.floor((times[0] as number) / step);
  const length = Math.floor((times.at(-1) as number) / step) - start + 1;
  if (length > max_values) {
    throw new Error(`Expected at most ${max_values} values, found ${length}; is a timestamp wrong?`);
  }
  const sums = new Float64Array(length);
  const counts = new Uint32Array(length);
  for (const time of times) {
    const at = Math.floor(time / step) - start;
    sums[at] = (sums[at] as number) + (known.get(time) as number);
    counts[at] = (counts[at] as number) + 1;
  }
  return Array.from(sums, (sum, at) => (counts[at] === 0 ? undefined : sum / (counts[at] as number)));
}

/** The straight line over a gap of at most `max_gap` values; undefined where it is longer, or at an end. */
function fill(values: readonly (number | undefined)[], index: number, max_gap: number): number | undefined {
  let [before, after] = [index - 1, index + 1];
  while (before >= 0 && values[before] === undefined && index - before <= max_gap) before--;
  while (after < values.length && values[after] === undefined && after - index <= max_gap) after++;
  const [left, right] = [values[before], values[after]];
  if (left === undefined || right === undefined || after - before - 1 > max_gap) return undefined;
  return left + ((right - left) * (index - before)) / (after - before);
}

/** The mean load at each time of day, and, under undefined, of all. */
function profileOf(values: readonly (number | undefined)[], start: number, step: number) {
  const sums = new Map<number | undefined, { sum: number; count: number }>();
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue;
    for (const key of [(start + index * step) % day_ms, undefined]) {
      const { sum, count } = sums.get(key) ?? { sum: 0, count: 0 };
      sums.set(key, { sum: sum + value, count: count + 1 });
    }
  }
  return new Map([...sums].map(([key, { sum, count }]) => [key, sum / count]));
}
