import { describe, expect, it } from "vitest";
import { checkReadings } from "./check-feeder.ts";
import { readCsv } from "./read-csv.ts";

const band = { nominal: 230, tolerance: 10 };
const at = (minute: number) => `2025-01-06T00:${String(minute).padStart(2, "0")}:00Z`;

describe("checking", () => {
  it("joins readings that are out of the band one after the other", () => {
    const voltages = [230, 254, 256, 230, 200, 230];
    const readings = voltages.map((voltage, index) => ({ timestamp: at(index * 10), voltage, load: 6 }));
    expect(checkReadings(readings, band)).toEqual({
      readings: 6,
      lowest_voltage: 200,
      highest_voltage: 256,
      energy: 5,
      violations: [
        { from: at(10), to: at(20), voltage: 256 },
        { from: at(40), to: at(40), voltage: 200 },
      ],
    });
  });

  it.each([
    ["timestamp,load\n", 'Expected the column "voltage" in the header, found "timestamp,load"'],
    ["timestamp,voltage,load\n", "Expected at least one reading, found none"],
    [`timestamp,voltage,load\n${at(0)},x,1\n`, 'Row 2, column "voltage": expected a number, found "x"'],
    [
      `timestamp,voltage,load\n${at(1)},1,1\n${at(0)},1,1\n`,
      `Reading 2: expected an ISO 8601 time after the one before, found "${at(0)}"`,
    ],
  ])("refuses %j", (csv, message) => {
    expect(() => checkReadings(readCsv(csv), band)).toThrow(message);
  });
});
