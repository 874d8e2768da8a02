import type { ProtobufPlane } from "@aieffect/data-plane-protobuf";
import type { RunOutcome } from "@aieffect/local-run";
import { type GenerateReportResponse, ReportGeneratorServiceService } from "../generated/report_generator.ts";
import { report_node } from "./paths.ts";

/** The report of a workflow. */
export interface FetchedReport {
  report: GenerateReportResponse;
  /** Absolute path of the file that has it as text. */
  file: string;
}

/** Fetches the report of a workflow over gRPC. @throws Error when it is not there */
export async function fetchReport(
  { tasks }: RunOutcome,
  plane: Pick<ProtobufPlane, "fetchMessage">,
): Promise<FetchedReport> {
  const output = tasks.find(({ node_key }) => node_key === report_node)?.output_refs[0];
  const file = output?.metadata?.report;
  if (output === undefined || typeof file !== "string") {
    throw new Error(
      `Expected ${report_node} to give a message with report in its metadata, found ${JSON.stringify(output)}`,
    );
  }
  return { report: await plane.fetchMessage(output, ReportGeneratorServiceService.generateReport), file };
}

/** A report as text for a terminal. */
export function toReportText({ sections, summary }: GenerateReportResponse): string {
  const parts = sections.map(({ title, content }) => {
    const lines = [title, "-".repeat(title.length), ...content];
    return `${lines.map((line) => `  ${line}`).join("\n")}\n`;
  });
  return `${parts.join("\n")}\n  ${summary}`;
}
