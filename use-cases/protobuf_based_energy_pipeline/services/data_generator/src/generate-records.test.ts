import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateRecords } from "./generate-records.ts";

const plan = {
  num_records: 1000,
  seed: 7,
  start_ms: Date.parse("2025-01-01T00:00:00Z"),
  interval_ms: 900_000,
};

describe("generateRecords", () => {
  it("gives the same readings for the same seed, and others for another", () => {
    const readings = [...generateRecords(plan)];
    expect([...generateRecords(plan)]).toEqual(readings);
    expect([...generateRecords({ ...plan, seed: 8 })]).not.toEqual(readings);
    // Fewer are the first of many.
    expect([...generateRecords({ ...plan, num_records: 10 })]).toEqual(readings.slice(0, 10));
  });

  it("stays within the bounds of power, voltage and current for any seed", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 60 }), (seed, num_records) => {
        const readings = [...generateRecords({ ...plan, seed, num_records })];
        expect(readings).toHaveLength(num_records);
        for (const [index, { powerConsumption, voltage, current }] of readings.entries()) {
          expect(Math.abs(powerConsumption - (120 + (index % 10) * 5))).toBeLessThanOrEqual(10);
          expect(Math.abs(voltage - 230)).toBeLessThanOrEqual(5);
          expect(current).toBe(powerConsumption / voltage);
        }
      }),
    );
  });

  it("uses the whole width of its noise", () => {
    const readings = [...generateRecords({ ...plan, num_records: 5000 })];
    const noise = readings.map(({ powerConsumption }, index) => powerConsumption - (120 + (index % 10) * 5));
    const swing = readings.map(({ voltage }) => voltage - 230);
    for (const [values, reach] of [
      [noise, 10],
      [swing, 5],
    ] as const) {
      expect(Math.min(...values)).toBeLessThan(-0.99 * reach);
      expect(Math.max(...values)).toBeGreaterThan(0.99 * reach);
      expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / values.length)).toBeLessThan(
        reach / 20,
      );
    }
  });

  it("lets all households report at each point in time", () => {
    const readings = [...generateRecords({ ...plan, num_records: 12 })];
    expect(readings.map(({ householdId }) => householdId)).toEqual(
      [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2].map((number) => `HH-00${number}`),
    );
    expect(readings.map(({ timestamp }) => timestamp.slice(11))).toEqual([
      ...Array(5).fill("00:00:00Z"),
      ...Array(5).fill("00:15:00Z"),
      ...Array(2).fill("00:30:00Z"),
    ]);
  });
});
