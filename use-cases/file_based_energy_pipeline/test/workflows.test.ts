import { readFile } from "node:fs/promises";
import { createInlineReference } from "@aieffect/control-interface";
import { startLocalPipeline } from "@aieffect/local-run";
import { tempFolder } from "@aieffect/test-support";
import { expect, it, onTestFinished } from "vitest";
import { paths } from "../demo/paths.ts";
import { findReport } from "../demo/report.ts";

it("never mixes up two workflows of the same blueprint that run at once", async () => {
  const pipeline = await startLocalPipeline({ ...paths, data_dir: await tempFolder() });
  onTestFinished(pipeline.close);
  const reports = new Set<string>();

  // Two different inputs at once, each recognisable by its number of rows and its power.
  async function run(number: number) {
    const row = `2025-01-01T00:00:00Z,HH-001,${number},230,2.5\n`;
    const csv = `timestamp,household_id,power_consumption,voltage,current\n${row.repeat(number)}`;
    const outcome = await pipeline.run({ inputs: [createInlineReference(csv, "csv")] });
    expect(outcome.workflow).toMatchObject({ status: "completed", error: null });
    const files = findReport(outcome);
    const report = await readFile(files.report, "utf8");
    expect(report).toContain(`Total Records,${number}\n`);
    expect(report).toContain(`Max Power (W),${number}.00\nMin Power (W),${number}.00\n`);
    expect(await readFile(files.html_report, "utf8")).toContain(`Workflow ${outcome.workflow_id}<`);
    reports.add(files.report);
  }

  for (let round = 0; round < 50; round += 1) await Promise.all([run(2 * round + 1), run(2 * round + 2)]);
  expect(reports.size).toBe(100);
});
