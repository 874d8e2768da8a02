import type { FeederReport, Reading, Violation } from "./messages.ts";

/** The band that the voltage has to stay in, as EN 50160 has it. */
export interface Band {
  /** V */
  nominal: number;
  /** Percent of the nominal voltage, both ways. */
  tolerance: number;
}

/** Finds the times at which the voltage was out of its band, and sums up the energy. */
export function checkReadings(readings: readonly Reading[], { nominal, tolerance }: Band): FeederReport {
  const [first] = readings;
  if (first === undefined) throw new Error("Expected at least one reading, found none");
  const violations: Violation[] = [];
  let open: Violation | undefined;
  let energy = 0;
  let before: number | undefined;
  for (const [index, { timestamp, voltage, load }] of readings.entries()) {
    const time = Date.parse(timestamp);
    if (Number.isNaN(time) || (before !== undefined && time <= before)) {
      throw new Error(
        `Reading ${index + 1}: expected an ISO 8601 time after the one before, found "${timestamp}"`,
      );
    }
    // A reading stands for the time since the one before.
    if (before !== undefined) energy += (load * (time - before)) / 3_600_000;
    before = time;
    if (Math.abs(voltage - nominal) * 100 <= tolerance * nominal) {
      open = undefined;
    } else if (open === undefined) {
      open = { from: timestamp, to: timestamp, voltage };
      violations.push(open);
    } else {
      open.to = timestamp;
      if (Math.abs(voltage - nominal) > Math.abs(open.voltage - nominal)) open.voltage = voltage;
    }
  }
  const voltages = readings.map(({ voltage }) => voltage);
  return {
    readings: readings.length,
    lowest_voltage: voltages.reduce((least, voltage) => Math.min(least, voltage)),
    highest_voltage: voltages.reduce((most, voltage) => Math.max(most, voltage)),
    energy,
    violations,
  };
}
