import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnalyzedRecord } from "../../../generated/common.ts";
import { createTallyMeter } from "./tally.ts";
import { toReport } from "./to-report.ts";
import { toText } from "./to-text.ts";

interface Shown {
  household?: string;
  power?: number;
  voltage?: number;
  efficiency?: number;
  reason?: string;
}

function analyzed({
  household = "HH-001",
  power = 140,
  voltage = 230,
  efficiency = 1,
  reason = "",
}: Shown): AnalyzedRecord {
  return {
    original: { timestamp: "", householdId: household, powerConsumption: power, voltage, current: 0.6 },
    efficiencyScore: efficiency,
    isAnomaly: reason !== "",
    anomalyReason: reason,
  };
}

function reportOf(records: readonly AnalyzedRecord[]) {
  const meter = createTallyMeter();
  for (const record of records) meter.add(record);
  const report = toReport(meter.result());
  const section = (title: string) => report.sections.find((one) => one.title === title)?.content ?? [];
  return { report, section };
}

const shown = fc.record({
  household: fc.constantFrom("HH-001", "HH-002", "HH-003"),
  power: fc.integer({ min: 0, max: 400 }),
  voltage: fc.constantFrom(210, 220, 230, 240, 250),
  efficiency: fc.constantFrom(0, 0.5, 0.69, 0.7, 0.8, 0.89, 0.9, 1),
  reason: fc.constantFrom(
    "",
    "Power 1 W is 3 standard deviations away",
    "Voltage 250 V",
    "High consumption; voltage",
  ),
});
const percent = (part: number, whole: number) => `${((whole === 0 ? 0 : part / whole) * 100).toFixed(2)} %`;

describe("the report", () => {
  it("says of any records what a plain computation gives", () => {
    fc.assert(
      fc.property(fc.array(shown, { minLength: 1, maxLength: 30 }), (all) => {
        const { report, section } = reportOf(all.map(analyzed));
        const count = all.length;
        const mean = (of: readonly Shown[], key: "power" | "efficiency") =>
          of.reduce((sum, one) => sum + (one[key] ?? 0), 0) / of.length;
        const odd = all.filter(({ reason }) => reason !== "");
        const outside = odd.filter(({ voltage }) => voltage < 220 || voltage > 240);
        const both = outside.filter(({ reason }) => !reason.startsWith("Voltage"));
        const names = [...new Set(all.map(({ household }) => household))].sort();
        // Sums are made in other ways: numbers are compared, not their last digit as text.
        const numbers = (lines: readonly string[]) =>
          lines.map((line) => line.match(/-?\d+(\.\d+)?/g)?.map(Number));
        const close = (lines: readonly string[], expected: readonly string[]) => {
          expect(lines.map((line) => line.replace(/\d+(\.\d+)?/g, "#"))).toEqual(
            expected.map((line) => line.replace(/\d+(\.\d+)?/g, "#")),
          );
          for (const [row, found] of numbers(lines).entries()) {
            for (const [column, value] of (found ?? []).entries())
              expect(value).toBeCloseTo(numbers(expected)[row]?.[column] ?? Number.NaN, 1);
          }
        };
        close(section("Executive Summary"), [
          `Total Records: ${count}`,
          `Households: ${names.length}`,
          `Anomalies Detected: ${odd.length}`,
          `Anomaly Rate: ${percent(odd.length, count)}`,
          `Average Efficiency: ${percent(mean(all, "efficiency"), 1)}`,
        ]);
        close(
          section("Household Analysis"),
          names.map((name) => {
            const own = all.filter(({ household }) => household === name);
            const anomalies = own.filter(({ reason }) => reason !== "").length;
            return `${name}: ${own.length} records, average power ${mean(own, "power").toFixed(2)} W, average efficiency ${percent(mean(own, "efficiency"), 1)}, ${anomalies} anomalies`;
          }),
        );
        expect(section("Anomaly Breakdown")).toEqual([
          `Unusual power: ${odd.length - outside.length} (${percent(odd.length - outside.length, odd.length)})`,
          `Voltage out of range: ${outside.length - both.length} (${percent(outside.length - both.length, odd.length)})`,
          `Both: ${both.length} (${percent(both.length, odd.length)})`,
        ]);
        const high = all.filter(({ efficiency }) => efficiency >= 0.9).length;
        const low = all.filter(({ efficiency }) => efficiency < 0.7).length;
        expect(section("Efficiency Distribution")).toEqual([
          `>=90 %: ${high} (${percent(high, count)})`,
          `70-90 %: ${count - high - low} (${percent(count - high - low, count)})`,
          `<70 %: ${low} (${percent(low, count)})`,
        ]);
        close(
          [report.summary],
          [
            `${count} records of ${names.length} households: ${odd.length} anomalies (${percent(odd.length, count)}), average efficiency ${percent(mean(all, "efficiency"), 1)}`,
          ],
        );
      }),
    );
  });

  it.each([
    ["nothing", Array(10).fill({}), ["All is normal: nothing needs to be done"]],
    [
      "a rate of exactly 10 %",
      [...Array(9).fill({}), { reason: "Power" }],
      ["All is normal: nothing needs to be done"],
    ],
    [
      "a rate above it",
      [...Array(8).fill({}), { reason: "Power" }, { reason: "Power" }],
      ["The anomaly rate is 20.00 %, above 10 %: inspect the meters and appliances concerned"],
    ],
    [
      "a low efficiency",
      Array(10).fill({ efficiency: 0.79 }),
      ["The average efficiency is 79.00 %, below 80 %: look for appliances that waste power"],
    ],
    [
      "a voltage out of range",
      [...Array(19).fill({}), { voltage: 250, reason: "Voltage" }],
      ["The voltage of 1 records is outside 220 to 240 V: check the supply"],
    ],
  ])("recommends what %s calls for", (_what, all: Shown[], expected) => {
    expect(reportOf(all.map(analyzed)).section("Recommendations")).toEqual(expected);
  });

  it("reads as text, section by section, with names that act on no terminal", () => {
    const text = toText(reportOf([analyzed({ household: "\u001b[2J" })]).report);
    expect(text).toContain(
      "Household Analysis\n------------------\n\\u001b[2J: 1 records, average power 140.00 W,",
    );
    expect(text.trimEnd().split("\n").at(-1)).toBe(
      "1 records of 1 households: 0 anomalies (0.00 %), average efficiency 100.00 %",
    );
  });
});
