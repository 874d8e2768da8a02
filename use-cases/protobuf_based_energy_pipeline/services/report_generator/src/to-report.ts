import { toShown } from "@aieffect/energy-services";
import type { GenerateReportResponse } from "../../../generated/report_generator.ts";
import type { HouseholdTally, Tally } from "./tally.ts";

/** More than this share of anomalies is worth a recommendation. */
const notable_rate = 0.1;
/** So is a mean efficiency below this one. */
const sound_efficiency = 0.8;

/** The report of a tally: sections of lines, and a line that sums it up. */
export function toReport(tally: Tally): GenerateReportResponse {
  const { records, anomalies, mean_efficiency, households } = tally;
  const average = `average efficiency ${toPercent(mean_efficiency)}`;
  return {
    success: true,
    message: `Report of ${records} records`,
    sections: [
      { title: "Executive Summary", content: summaryOf(tally) },
      {
        title: "Household Analysis",
        content: [...households].map(([name, household]) => `${toShown(name, 100)}: ${toLine(household)}`),
      },
      { title: "Anomaly Breakdown", content: breakdownOf(tally) },
      { title: "Efficiency Distribution", content: distributionOf(tally) },
      { title: "Recommendations", content: recommend(tally) },
    ],
    summary: `${records} records of ${households.size} households: ${anomalies} anomalies (${share(anomalies, records)}), ${average}`,
  };
}

function summaryOf({ records, anomalies, mean_efficiency, households }: Tally): string[] {
  return [
    `Total Records: ${records}`,
    `Households: ${households.size}`,
    `Anomalies Detected: ${anomalies}`,
    `Anomaly Rate: ${share(anomalies, records)}`,
    `Average Efficiency: ${toPercent(mean_efficiency)}`,
  ];
}

function toLine({ records, anomalies, mean_power, mean_efficiency }: HouseholdTally): string {
  return `${records} records, average power ${mean_power.toFixed(2)} W, average efficiency ${toPercent(mean_efficiency)}, ${anomalies} anomalies`;
}

function breakdownOf({ anomalies, power_only, voltage_only, both }: Tally): string[] {
  return [
    `Unusual power: ${power_only} (${share(power_only, anomalies)})`,
    `Voltage out of range: ${voltage_only} (${share(voltage_only, anomalies)})`,
    `Both: ${both} (${share(both, anomalies)})`,
  ];
}

function distributionOf({ records, high, medium, low }: Tally): string[] {
  return [
    `>=90 %: ${high} (${share(high, records)})`,
    `70-90 %: ${medium} (${share(medium, records)})`,
    `<70 %: ${low} (${share(low, records)})`,
  ];
}

function recommend({ records, anomalies, mean_efficiency, voltage_only, both }: Tally): string[] {
  const voltage = voltage_only + both;
  const found = [
    ...(anomalies > notable_rate * records
      ? [
          `The anomaly rate is ${share(anomalies, records)}, above 10 %: inspect the meters and appliances concerned`,
        ]
      : []),
    ...(records > 0 && mean_efficiency < sound_efficiency
      ? [
          `The average efficiency is ${toPercent(mean_efficiency)}, below 80 %: look for appliances that waste power`,
        ]
      : []),
    ...(voltage > 0 ? [`The voltage of ${voltage} records is outside 220 to 240 V: check the supply`] : []),
  ];
  return found.length > 0 ? found : ["All is normal: nothing needs to be done"];
}

function share(part: number, whole: number): string {
  return toPercent(whole === 0 ? 0 : part / whole);
}

function toPercent(value: number): string {
  return `${(value * 100).toFixed(2)} %`;
}
