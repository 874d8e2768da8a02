import type { AnalyzedRecord } from "../../../generated/common.ts";

/** Of one household. */
export interface HouseholdTally {
  records: number;
  anomalies: number;
  /** W */
  mean_power: number;
  mean_efficiency: number;
}

/** What the report says, as numbers. */
export interface Tally {
  records: number;
  /** Records, each once, whatever is unusual about it. */
  anomalies: number;
  /** From 0 to 1; 0 of no records. */
  mean_efficiency: number;
  /** By household, in the order of their names. */
  households: ReadonlyMap<string, HouseholdTally>;
  /** Anomalies by what is unusual. */
  power_only: number;
  voltage_only: number;
  both: number;
  /** Records by efficiency: 90 % and more, less than that, less than 70 %. */
  high: number;
  medium: number;
  low: number;
}

/** Counts records as they pass by. */
export interface TallyMeter {
  add(record: AnalyzedRecord): void;
  result(): Tally;
}

/** Counts in one pass; what grows is the list of households. */
export function createTallyMeter(): TallyMeter {
  const households = new Map<string, HouseholdTally>();
  const all = { records: 0, anomalies: 0, mean_power: 0, mean_efficiency: 0 };
  const kinds = { power_only: 0, voltage_only: 0, both: 0 };
  const bands = { high: 0, medium: 0, low: 0 };
  return {
    add(record) {
      const name = record.original?.householdId ?? "";
      const household = households.get(name) ?? { ...empty };
      households.set(name, household);
      count(household, record);
      count(all, record);
      if (record.isAnomaly) kinds[kindOf(record)] += 1;
      bands[bandOf(record.efficiencyScore)] += 1;
    },
    result() {
      const { records, anomalies, mean_efficiency } = all;
      const sorted = [...households].sort(([one], [other]) => (one < other ? -1 : 1));
      return { records, anomalies, mean_efficiency, households: new Map(sorted), ...kinds, ...bands };
    },
  };
}

const empty: HouseholdTally = { records: 0, anomalies: 0, mean_power: 0, mean_efficiency: 0 };

function count(tally: HouseholdTally, { original, isAnomaly, efficiencyScore }: AnalyzedRecord): void {
  tally.records += 1;
  if (isAnomaly) tally.anomalies += 1;
  tally.mean_power += ((original?.powerConsumption ?? 0) - tally.mean_power) / tally.records;
  tally.mean_efficiency += (efficiencyScore - tally.mean_efficiency) / tally.records;
}

/**
 * What is unusual about an anomaly. Its voltage tells by itself; of the power, which needs all the
 * others, the reason tells, in whatever words another analyzer puts it. What has nothing unusual
 * about its voltage is one of power.
 */
function kindOf({ original, anomalyReason }: AnalyzedRecord): "power_only" | "voltage_only" | "both" {
  const voltage = original?.voltage ?? 0;
  if (voltage >= 220 && voltage <= 240) return "power_only";
  return /power|consumption|z-?score/i.test(anomalyReason) ? "both" : "voltage_only";
}

function bandOf(efficiency: number): "high" | "medium" | "low" {
  if (efficiency >= 0.9) return "high";
  return efficiency >= 0.7 ? "medium" : "low";
}
