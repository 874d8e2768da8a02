import { readFile } from "node:fs/promises";
import { createInlineReference } from "@aieffect/control-interface";
import { startLocalPipeline } from "@aieffect/local-run";
import { tempFolder } from "@aieffect/test-support";
import { expect, it, onTestFinished } from "vitest";
import { blueprint_file, programs } from "../demo/paths.ts";
import { fetchReport } from "../demo/report.ts";
import { toText } from "../services/report_generator/src/to-text.ts";
import { expectedReport, planOf } from "./expected-report.ts";

it("gives 100 workflows that run at once each the report that it gets alone", async () => {
  const pipeline = await startLocalPipeline({ programs, blueprint_file, data_dir: await tempFolder() });
  onTestFinished(pipeline.close);

  async function run(seed: number) {
    const num_records = 20 + (seed % 30);
    const configuration = JSON.stringify({ num_records, seed });
    const outcome = await pipeline.run({ inputs: [createInlineReference(configuration, "json")] });
    expect(outcome.workflow).toMatchObject({ status: "completed", error: null });
    const { report, file } = await fetchReport(outcome);
    const expected = await expectedReport(planOf(num_records, seed));
    expect(report).toEqual(expected);
    expect(await readFile(file, "utf8")).toBe(toText(expected));
    return JSON.stringify(report.sections);
  }

  const seeds = Array.from({ length: 100 }, (_, index) => index + 1);
  const together = await Promise.all(seeds.map(run));
  // Had all been the same, nothing could have been mixed up.
  expect(new Set(together).size).toBe(100);
  // And alone, by the very same services.
  expect(await run(7)).toBe(together[6]);
});

it("streams what is too large for one message", async () => {
  const pipeline = await startLocalPipeline({ programs, blueprint_file, data_dir: await tempFolder() });
  onTestFinished(pipeline.close);
  const configuration = JSON.stringify({ num_records: 120_000, seed: 3 });
  const outcome = await pipeline.run({ inputs: [createInlineReference(configuration, "json")] });
  expect(outcome.workflow).toMatchObject({ status: "completed", error: null });
  const streams = outcome.tasks.map(({ output_refs }) => output_refs[0]?.metadata?.stream);
  expect(streams.filter((stream) => stream === "aieffect.dataplane.v1.Results/Read")).toHaveLength(2);
  expect((await fetchReport(outcome)).report).toEqual(await expectedReport(planOf(120_000, 3)));
});
