import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInlineReference } from "@aieffect/control-interface";
import { createProtobufPlane } from "@aieffect/data-plane-protobuf";
import { type LocalPipeline, startLocalPipeline } from "@aieffect/local-run";
import { afterAll, beforeAll, expect, it } from "vitest";
import { paths } from "../demo/paths.ts";
import { fetchReport } from "../demo/report.ts";
import { toText } from "../services/report_generator/src/to-text.ts";
import { expectedReport, planOf } from "./expected-report.ts";

let pipeline: LocalPipeline;
let data_dir: string;
const plane = createProtobufPlane();
beforeAll(async () => {
  data_dir = await mkdtemp(join(tmpdir(), "energy-"));
  pipeline = await startLocalPipeline({ ...paths, data_dir });
});
afterAll(async () => {
  await pipeline.close();
  await plane.stop(0);
  await rm(data_dir, { recursive: true, force: true });
});

/** Runs one workflow and checks that its report is the one computed alone. */
async function run(num_records: number, seed: number) {
  const configuration = JSON.stringify({ num_records, seed });
  const outcome = await pipeline.run({ inputs: [createInlineReference(configuration, "json")] });
  expect(outcome.workflow).toMatchObject({ status: "completed", error: null });
  const { report, file } = await fetchReport(outcome, plane);
  const expected = await expectedReport(planOf(num_records, seed));
  expect(report).toEqual(expected);
  expect(await readFile(file, "utf8")).toBe(toText(expected));
  return { outcome, report };
}

it("gives 100 workflows that run at once each the report that it gets alone", async () => {
  const seeds = Array.from({ length: 100 }, (_, index) => index + 1);
  const together = await Promise.all(seeds.map((seed) => run(20 + (seed % 30), seed)));
  // Had they been alike, nothing could have been mixed up.
  expect(new Set(together.map(({ report }) => JSON.stringify(report.sections))).size).toBe(100);
  // And alone, by the very same services.
  expect((await run(27, 7)).report).toEqual(together[6]?.report);
});

it("streams what is too large for one message", async () => {
  const { outcome } = await run(75_000, 3);
  const streams = outcome.tasks.map(({ output_refs }) => output_refs[0]?.metadata?.stream);
  expect(streams.filter((stream) => stream === "aieffect.dataplane.v1.Results/Read")).toHaveLength(2);
});
