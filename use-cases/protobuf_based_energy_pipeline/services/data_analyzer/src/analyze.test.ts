import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EnergyRecord } from "../../../generated/common.ts";
import type { AnalyzeDataResponse } from "../../../generated/data_analyzer.ts";
import { mergePieces } from "../../../test/merge-pieces.ts";
import { analyze } from "./analyze.ts";

async function analyzed(records: readonly EnergyRecord[], threshold = 2, size = 7) {
  async function* pieces() {
    for (let start = 0; start < records.length; start += size) yield records.slice(start, start + size);
  }
  const found: AnalyzeDataResponse[] = [];
  for await (const piece of analyze({ pieces }, threshold, () => {})) found.push(piece);
  return mergePieces(found);
}

function record(powerConsumption: number, voltage = 230, current = powerConsumption / voltage): EnergyRecord {
  return { timestamp: "2025-01-01T00:00:00Z", householdId: "HH-001", powerConsumption, voltage, current };
}

const amount = (max: number) =>
  fc.integer({ min: 0, max: max * 1000 }).map((thousandths) => thousandths / 1000);
const reading = fc
  .record({
    power: amount(400),
    voltage: fc.oneof(amount(300), fc.constantFrom(0, 220, 240)),
    current: amount(3),
  })
  .map(({ power, voltage, current }) => record(power, voltage, current));

describe("analyze", () => {
  it("finds in any readings what a plain computation finds", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(reading, { minLength: 1, maxLength: 40 }),
        amount(3),
        fc.integer({ min: 1, max: 50 }),
        async (records, threshold, size) => {
          const powers = records.map(({ powerConsumption }) => powerConsumption);
          const mean = powers.reduce((sum, power) => sum + power, 0) / powers.length;
          const squares = powers.reduce((sum, power) => sum + (power - mean) ** 2, 0);
          const deviation = powers.length < 2 ? 0 : Math.sqrt(squares / (powers.length - 1));
          const scores = powers.map((power) => (deviation < 1e-9 ? 0 : Math.abs(power - mean) / deviation));
          // Two ways of summing up may fall on either side of the very threshold.
          fc.pre(scores.every((score) => Math.abs(score - threshold) > 1e-9));

          const { analyzedRecords, ...totals } = await analyzed(records, threshold, size);
          expect(analyzedRecords.map(({ original }) => original)).toEqual(records);
          const efficiencies = records.map(({ powerConsumption, voltage, current }) => {
            const expected = voltage === 0 ? 0 : powerConsumption / voltage;
            const least = Math.max(expected, 0.001);
            const efficiency = 1 - Math.abs(expected - current) / least;
            return [0, efficiency, 1].sort((one, other) => one - other)[1] as number;
          });
          expect(analyzedRecords.map(({ efficiencyScore }) => efficiencyScore)).toEqual(efficiencies);
          const odd = records.map(
            ({ voltage }, index) => (scores[index] ?? 0) > threshold || voltage < 220 || voltage > 240,
          );
          expect(analyzedRecords.map(({ isAnomaly }) => isAnomaly)).toEqual(odd);
          expect(analyzedRecords.map(({ anomalyReason }) => anomalyReason !== "")).toEqual(odd);
          expect(totals).toMatchObject({
            success: true,
            message: `Analysed ${records.length} records`,
            totalRecords: records.length,
            anomaliesDetected: odd.filter(Boolean).length,
          });
          const average = efficiencies.reduce((sum, efficiency) => sum + efficiency, 0) / records.length;
          expect(totals.averageEfficiency).toBeCloseTo(average, 12);
        },
      ),
    );
  });

  it("counts a record once that has both an unusual power and a voltage out of range", async () => {
    const usual = Array.from({ length: 20 }, (_, index) => record(140 + (index % 3)));
    const found = await analyzed([...usual, record(400, 250)]);
    expect(found.anomaliesDetected).toBe(1);
    expect(found.analyzedRecords.at(-1)?.anomalyReason).toBe(
      "Power 400.00 W is 4.36 standard deviations from the mean 153.29 W; Voltage 250.00 V is outside 220 to 240 V",
    );
  });

  it("takes 220 and 240 V for sound, and what is just beyond for an anomaly", async () => {
    const found = await analyzed([219.99, 220, 240, 240.01].map((voltage) => record(140, voltage)));
    expect(found.analyzedRecords.map(({ isAnomaly }) => isAnomaly)).toEqual([true, false, false, true]);
  });

  it("divides by the sample's deviation, not by the population's", async () => {
    // Of 1, 1, 1, 1, 6: 1.79 by the sample's deviation, 2 by the population's.
    const found = await analyzed(
      [1, 1, 1, 1, 6].map((power) => record(power)),
      1.8,
    );
    expect(found.anomaliesDetected).toBe(0);
    expect(
      (
        await analyzed(
          [1, 1, 1, 1, 6].map((power) => record(power)),
          1.78,
        )
      ).anomaliesDetected,
    ).toBe(1);
  });

  it.each([
    [
      record(Number.NaN, 230, 1),
      'Record 3 ("HH-001 2025-01-01T00:00:00Z"): expected power_consumption to be a finite number, found NaN',
    ],
    [record(1, Number.POSITIVE_INFINITY, 1), "expected voltage to be a finite number, found Infinity"],
    [record(1, 1, Number.NEGATIVE_INFINITY), "expected current to be a finite number, found -Infinity"],
    [{ ...record(Number.NaN), householdId: "\u001b[31m" }, 'Record 3 ("\\u001b[31m 2025'],
    [
      record(1e100, 1e-300, 1),
      "expected an efficiency that is a number, found power_consumption 1e+100, voltage 1e-300, current 1",
    ],
    [record(1.7e308, 1.7e308, 1), "found numbers too large for them"],
  ])("refuses %j and names it", async (bad, message) => {
    await expect(analyzed([record(140), record(141), bad])).rejects.toThrow(message);
  });
});
