import type { AnalysedRow } from "./analysed-rows.ts";
import { toMean, toShare } from "./mean.ts";

/** A name and a number as it is written. */
export type Metric = readonly [name: string, value: string];

/** Sums rows up as they pass by. */
export interface Metrics {
  add(row: AnalysedRow): void;
  /** The metrics so far; of no rows all are 0. */
  result(): readonly Metric[];
}

/**
 * The report's numbers. Average efficiency has 3 decimals, powers and the anomaly rate have 2. In a
 * file whose powers are all the same, Max Power and Min Power are that power.
 */
export function createMetrics(): Metrics {
  let records = 0;
  let anomalies = 0;
  let efficiency = 0;
  let highest = Number.NEGATIVE_INFINITY;
  let lowest = Number.POSITIVE_INFINITY;
  return {
    add(row) {
      records += 1;
      if (row.anomaly) anomalies += 1;
      efficiency += toShare(row.efficiency);
      if (row.power > highest) highest = row.power;
      if (row.power < lowest) lowest = row.power;
    },
    result() {
      const some = records > 0;
      return [
        ["Total Records", String(records)],
        ["Anomalies Detected", String(anomalies)],
        ["Average Efficiency", (some ? toMean(efficiency, records) : 0).toFixed(3)],
        ["Max Power (W)", (some ? highest : 0).toFixed(2)],
        ["Min Power (W)", (some ? lowest : 0).toFixed(2)],
        ["Anomaly Rate (%)", (some ? (anomalies / records) * 100 : 0).toFixed(2)],
      ];
    },
  };
}

/** The metrics as a CSV. */
export function toMetricsCsv(metrics: readonly Metric[]): string {
  return `metric,value\n${metrics.map(([name, value]) => `${name},${value}\n`).join("")}`;
}
