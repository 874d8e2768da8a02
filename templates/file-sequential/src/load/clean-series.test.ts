import { describe, expect, it } from "vitest";
import { cleanSeries } from "./clean-series.ts";
import { readSeries } from "./read-series.ts";

const options = { max_gap_minutes: 60, outlier_threshold: 8 };
const clean = (csv: string, more = {}) => cleanSeries(readSeries(csv), { ...options, ...more });

/** Readings every half hour, from midnight on. */
function halfHours(values: readonly (number | "")[]): string {
  const rows = values.map((value, at) => `${new Date(at * 30 * 60_000).toISOString()},${value}\n`);
  return `timestamp,load_kw\n${rows.join("")}`;
}

describe("cleaning", () => {
  it("interpolates short gaps and counts what it did", () => {
    const { rows, counts } = clean(halfHours([1, 2, "", 4, 5, 6]));
    expect(rows.map(({ load_kw, quality }) => [load_kw, quality])).toEqual([
      [1, "measured"],
      [2, "measured"],
      [3, "interpolated"],
      [4, "measured"],
      [5, "measured"],
      [6, "measured"],
    ]);
    expect(counts).toEqual({ measured: 5, outlier: 0, interpolated: 1, profile: 0, duplicates: 0 });
  });

  it("fills long gaps with the usual load at that time of day", () => {
    const day = Array.from({ length: 48 }, (_, at) => 10 + at);
    const hole = day.map((value, at) => (at >= 10 && at < 20 ? ("" as const) : value));
    const { rows, counts } = clean(halfHours([...day, ...hole, ...day]));
    expect(rows[48 + 15]).toMatchObject({ load_kw: 25, quality: "profile" });
    expect(counts).toMatchObject({ profile: 10, interpolated: 0 });
  });

  it("replaces an outlier by what its neighbours say", () => {
    const values = Array.from({ length: 40 }, (_, at) => 10 + Math.sin(at));
    values[20] = 500;
    const { rows, counts } = clean(halfHours(values));
    expect(counts.outlier).toBe(1);
    expect(rows[20]).toMatchObject({ quality: "outlier" });
    expect(rows[20]?.load_kw).toBeCloseTo(((values[19] ?? 0) + (values[21] ?? 0)) / 2);
  });

  it("averages to the interval that is asked for, and leaves duplicates out", () => {
    const csv = `${halfHours([1, 3, 5, 7])}1970-01-01T00:30:00.000Z,99\n`;
    const { rows, counts } = clean(csv, { interval_minutes: 60 });
    expect(rows.map(({ load_kw }) => load_kw)).toEqual([2, 6]);
    expect(counts.duplicates).toBe(1);
  });

  it.each([
    ["time,load_kw\n1,2\n", 'Expected the column "timestamp" in the header, found "time,load_kw"'],
    ["timestamp,load_kw\n", "Expected at least one row below the header, found none"],
    ["timestamp,load_kw\nnow,2\n", 'Row 2, column "timestamp": expected an ISO 8601 time, found "now"'],
    ["timestamp,load_kw\n2025-01-01,x\n", 'Row 2, column "load_kw": expected a number, found "x"'],
    ["timestamp,load_kw\n2025-01-01,\n", "Expected at least one reading with a load, found none"],
  ])("refuses %j", (csv, message) => {
    expect(() => clean(csv)).toThrow(message);
  });
});
