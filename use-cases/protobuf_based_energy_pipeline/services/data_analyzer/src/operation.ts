import type { ProtobufPlane } from "@aieffect/data-plane-protobuf";
import { singleInput } from "@aieffect/energy-services";
import { defineOperation } from "@aieffect/service-kit";
import * as z from "zod";
import { DataAnalyzerServiceService as Analyzer } from "../../../generated/data_analyzer.ts";
import { analyze } from "./analyze.ts";
import { createReadings } from "./readings.ts";

/** Computes the efficiency of each reading, marks the anomalies, and serves the result as a message. */
export function createAnalyzeData(plane: ProtobufPlane) {
  return defineOperation({
    name: "AnalyzeData",
    input: { protocols: ["grpc"], formats: ["GenerateData"] },
    output: { protocols: ["grpc"], formats: ["AnalyzeData"] },
    parameters: z.object({
      anomaly_threshold: z
        .number()
        .min(0)
        .default(2)
        .describe("A power that is more than so many standard deviations from the mean is an anomaly"),
    }),
    async run(ctx) {
      const input = singleInput(ctx, "the energy readings");
      const readings = createReadings(plane, input, ctx);
      const analysis = analyze(readings, ctx.parameters.anomaly_threshold, (done, total) => {
        // 100 is for the end, when the result has been published as well.
        ctx.progress(Math.min(99, Math.floor((done / total) * 50)));
      });
      return plane.publish(Analyzer.analyzeData, analysis, ctx);
    },
  });
}
