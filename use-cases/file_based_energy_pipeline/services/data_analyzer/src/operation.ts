import { singleInput } from "@aieffect/energy-services";
import { defineOperation } from "@aieffect/service-kit";
import * as z from "zod";
import { readInput } from "../../../execution/read-input.ts";
import { analyze } from "./analyze.ts";

/** Computes the efficiency of each reading of a CSV on shared storage and marks the anomalies. */
export const analyzeData = defineOperation({
  name: "AnalyzeData",
  input: { protocols: ["file"], formats: ["csv"] },
  output: { protocols: ["file"], formats: ["csv"] },
  parameters: z.object({
    anomaly_threshold: z.number().default(0.5).describe("An efficiency below it is an anomaly"),
  }),
  async run(ctx) {
    const input = singleInput(ctx, "the CSV of energy readings");
    return ctx.publish(analyze(readInput(input, ctx), ctx.parameters.anomaly_threshold), {
      format: "csv",
      as: "file",
      name: "analyzed_energy.csv",
    });
  },
});
