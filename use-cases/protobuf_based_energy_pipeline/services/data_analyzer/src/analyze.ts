import { ControlError } from "@aieffect/control-interface";
import type { AnalyzeDataResponse } from "../../../generated/data_analyzer.ts";
import { analyzeRecord } from "./analyze-record.ts";
import { assertNumbers } from "./fault.ts";
import type { Readings } from "./readings.ts";
import { createSpreadMeter, type Spread } from "./spread.ts";

/** Told now and then how far it is: `done` records of `total`, each of which is looked at twice. */
export type Progress = (done: number, total: number) => void;

/**
 * The analysis of readings, in pieces; the last one has the totals. They are gone through twice: what
 * is unusual shows only against all of them.
 *
 * @param anomaly_threshold a power that is more than so many standard deviations from the mean is an anomaly
 */
export async function* analyze(
  readings: Readings,
  anomaly_threshold: number,
  onProgress: Progress,
): AsyncGenerator<AnalyzeDataResponse> {
  const { total, ...spread } = await measure(readings);
  const measured = { ...spread, anomaly_threshold };
  let done = 0;
  let anomalies = 0;
  let mean_efficiency = 0;
  for await (const records of readings.pieces()) {
    const analyzedRecords = records.map((record, index) => analyzeRecord(record, done + index + 1, measured));
    for (const { isAnomaly, efficiencyScore } of analyzedRecords) {
      done += 1;
      if (isAnomaly) anomalies += 1;
      mean_efficiency += (efficiencyScore - mean_efficiency) / done;
    }
    const totals =
      done < total
        ? { message: "", totalRecords: 0, anomaliesDetected: 0, averageEfficiency: 0 }
        : {
            message: `Analysed ${total} records`,
            totalRecords: total,
            anomaliesDetected: anomalies,
            averageEfficiency: mean_efficiency,
          };
    yield { success: true, analyzedRecords, ...totals };
    onProgress(total + done, total);
  }
  if (done !== total) {
    throw new ControlError(
      "unreadable_reference",
      `Expected the same ${total} records when they were read again, found ${done}`,
    );
  }
}

async function measure(readings: Readings): Promise<Spread & { total: number }> {
  const meter = createSpreadMeter();
  let total = 0;
  for await (const records of readings.pieces()) {
    for (const record of records) {
      total += 1;
      assertNumbers(record, total);
      meter.add(record.powerConsumption);
    }
  }
  const spread = meter.result();
  if (Number.isFinite(spread.mean) && Number.isFinite(spread.deviation)) return { ...spread, total };
  throw new ControlError(
    "unreadable_reference",
    `Expected the power_consumption of ${total} records to have a mean and a standard deviation, found numbers too large for them`,
  );
}
