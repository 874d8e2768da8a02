import type { AnalyzedRecord, EnergyRecord } from "../../../generated/common.ts";
import { efficiencyOf } from "./efficiency.ts";
import { recordFault } from "./fault.ts";
import type { Spread } from "./spread.ts";

const lowest_V = 220;
const highest_V = 240;

/** What all records of an analysis have in common. */
export interface Measure extends Spread {
  /** A power that is more than so many deviations from the mean is an anomaly. */
  anomaly_threshold: number;
}

/**
 * A record with its efficiency and what is unusual about it.
 *
 * @param number the record's place, from 1, for messages
 * @throws ControlError where the efficiency is not a number
 */
export function analyzeRecord(original: EnergyRecord, number: number, measure: Measure): AnalyzedRecord {
  const { powerConsumption, voltage, current } = original;
  const efficiencyScore = efficiencyOf(powerConsumption, voltage, current);
  if (Number.isNaN(efficiencyScore)) {
    const found = `power_consumption ${powerConsumption}, voltage ${voltage}, current ${current}`;
    throw recordFault(original, number, "an efficiency that is a number", found);
  }
  const reasons = [...powerAnomaly(powerConsumption, measure), ...voltageAnomaly(voltage)];
  return { original, efficiencyScore, isAnomaly: reasons.length > 0, anomalyReason: reasons.join("; ") };
}

function powerAnomaly(power: number, { mean, deviation, anomaly_threshold }: Measure): string[] {
  // All powers alike: none of them stands out.
  const score = deviation === 0 ? 0 : Math.abs(power - mean) / deviation;
  if (score <= anomaly_threshold) return [];
  return [
    `Power ${power.toFixed(2)} W is ${score.toFixed(2)} standard deviations from the mean ${mean.toFixed(2)} W`,
  ];
}

function voltageAnomaly(voltage: number): string[] {
  if (voltage >= lowest_V && voltage <= highest_V) return [];
  return [`Voltage ${voltage.toFixed(2)} V is outside ${lowest_V} to ${highest_V} V`];
}
