import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { singleInput } from "@aieffect/energy-services";
import { defineOperation } from "@aieffect/service-kit";
import { readInput } from "../../../execution/read-input.ts";
import { toMetricsCsv } from "./metrics.ts";
import { toPage } from "./page.ts";
import { summarize } from "./summarize.ts";

/**
 * Sums the analysed readings up: gives the metrics as a CSV, and writes a page with a plot beside
 * it, whose path is in the reference's metadata as `html_report`.
 */
export const generateReport = defineOperation({
  name: "GenerateReport",
  input: { protocols: ["file"], formats: ["csv"] },
  output: { protocols: ["file"], formats: ["csv"] },
  async run(ctx) {
    const input = singleInput(ctx, "the CSV of analysed readings");
    const summary = await summarize(readInput(input, ctx));
    const html_report = join(await ctx.folder(), "report.html");
    await writeFile(html_report, toPage(summary, ctx.workflow_id));
    return ctx.publish(toMetricsCsv(summary.metrics), {
      format: "csv",
      as: "file",
      name: "energy_report.csv",
      metadata: { html_report },
    });
  },
});
