import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ControlError } from "@aieffect/control-interface";
import type { ProtobufPlane } from "@aieffect/data-plane-protobuf";
import { singleInput } from "@aieffect/energy-services";
import { defineOperation, type Input, type OperationContext } from "@aieffect/service-kit";
import { DataAnalyzerServiceService as Analyzer } from "../../../generated/data_analyzer.ts";
import { ReportGeneratorServiceService as Reporter } from "../../../generated/report_generator.ts";
import { createOutcome } from "../../../messages/create-outcome.ts";
import { createTallyMeter, type Tally } from "./tally.ts";
import { toReport } from "./to-report.ts";
import { toText } from "./to-text.ts";

/**
 * Sums the analysed readings up and serves the report as a message. The same as text lies beside it
 * in a file, whose path is in the reference's metadata as `report`.
 */
export function createGenerateReport(plane: ProtobufPlane) {
  return defineOperation({
    name: "GenerateReport",
    input: { protocols: ["grpc"], formats: ["AnalyzeData"] },
    output: { protocols: ["grpc"], formats: ["GenerateReport"] },
    async run(ctx) {
      const input = singleInput(ctx, "the analysed readings");
      const report = toReport(await tallyOf(plane, input, ctx));
      const file = join(await ctx.folder(), "energy_report.txt");
      await writeFile(file, toText(report));
      const reference = await plane.publish(Reporter.generateReport, report, ctx);
      return { ...reference, metadata: { ...reference.metadata, report: file } };
    },
  });
}

async function tallyOf(plane: ProtobufPlane, input: Input, ctx: OperationContext): Promise<Tally> {
  const meter = createTallyMeter();
  const outcome = createOutcome("AnalyzeData");
  for await (const piece of plane.fetchMessages(input, Analyzer.analyzeData, ctx)) {
    ctx.signal.throwIfAborted();
    outcome.add(piece);
    for (const record of piece.analyzedRecords) meter.add(record);
  }
  outcome.assertSuccess();
  const tally = meter.result();
  if (tally.records > 0) return tally;
  throw new ControlError("unreadable_reference", "Expected at least one analysed record, found none");
}
