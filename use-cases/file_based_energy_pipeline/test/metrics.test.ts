import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startOperation } from "@aieffect/energy-services/testing";
import { tempFolder } from "@aieffect/test-support";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { analyzeData } from "../services/data_analyzer/src/operation.ts";
import { generateReport } from "../services/report_generator/src/operation.ts";

const amount = (max: number) =>
  fc.integer({ min: 0, max: max * 1000 }).map((thousandths) => thousandths / 1000);
const reading = fc.record({ power: amount(5000), voltage: amount(300), current: amount(30) });

/** The same numbers in the plainest way: everything in memory, rounded where the files round. */
function expectedReport(
  readings: readonly { power: number; voltage: number; current: number }[],
  threshold: number,
) {
  const exact = readings.map(({ power, voltage, current }) => {
    const apparent = voltage * current;
    return apparent === 0 ? 0 : power / apparent;
  });
  const anomalies = exact.filter((efficiency) => efficiency < threshold || efficiency > 0.95).length;
  const average = exact.reduce((sum, efficiency) => sum + Number(efficiency.toFixed(4)), 0) / exact.length;
  const powers = readings.map(({ power }) => power);
  return [
    "metric,value",
    `Total Records,${readings.length}`,
    `Anomalies Detected,${anomalies}`,
    `Average Efficiency,${average.toFixed(3)}`,
    `Max Power (W),${Math.max(...powers).toFixed(2)}`,
    `Min Power (W),${Math.min(...powers).toFixed(2)}`,
    `Anomaly Rate (%),${((100 * anomalies) / readings.length).toFixed(2)}`,
    "",
  ].join("\n");
}

it("reports of any readings what a plain computation gives", async () => {
  const data_dir = await tempFolder();
  const analyzer = await startOperation(analyzeData, { data_dir });
  const reporter = await startOperation(generateReport, { data_dir });
  const uri = join(data_dir, "raw.csv");
  await fc.assert(
    fc.asyncProperty(
      fc.array(reading, { minLength: 1, maxLength: 30 }),
      amount(1),
      async (readings, threshold) => {
        const rows = readings.map(
          ({ power, voltage, current }, index) => `${index},HH-001,${power},${voltage},${current}`,
        );
        await writeFile(
          uri,
          `timestamp,household_id,power_consumption,voltage,current\n${rows.join("\n")}\n`,
        );
        const analysed = await analyzer.run([{ protocol: "file", uri, format: "csv" }], {
          anomaly_threshold: threshold,
        });
        const report = await reporter.run([analysed]);
        expect(await readFile(report.uri, "utf8")).toBe(expectedReport(readings, threshold));
      },
    ),
  );
});
