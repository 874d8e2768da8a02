import { readSeries } from "./read-series.ts";

/** A series without gaps. */
export interface History {
  values: readonly number[];
  /** Milliseconds between two values. */
  step: number;
  /** The time of the last one, in milliseconds since 1970. */
  end: number;
}

/**
 * Reads a history: one value after the other at equal distances, as a cleaned series has them.
 * @throws Error naming the row where it has a gap
 */
export function readHistory(csv: string): History {
  const readings = readSeries(csv);
  const [first, second] = readings;
  if (first === undefined || second === undefined || readings.length < 4) {
    throw new Error(`Expected at least 4 readings, found ${readings.length}`);
  }
  const step = second.time - first.time;
  const values = readings.map(({ time, load_kw }, index) => {
    const expected = first.time + index * step;
    if (load_kw === undefined || time !== expected || step <= 0) {
      const found = load_kw === undefined ? "no load" : new Date(time).toISOString();
      throw new Error(
        `Row ${index + 2}: expected a load at ${new Date(expected).toISOString()}, found ${found}; clean the series first`,
      );
    }
    return load_kw;
  });
  return { values, step, end: first.time + (values.length - 1) * step };
}
