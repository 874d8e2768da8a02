import { createReadStream } from "node:fs";
import { formatBytes, formatTable, type RunOutcome } from "@aieffect/local-run";
import { readTable } from "../csv/read-table.ts";
import { report_node } from "./paths.ts";

/** Where the report of a workflow is. */
export interface ReportFiles {
  /** Absolute path of the metrics CSV. */
  report: string;
  /** Absolute path of the page with the plot. */
  html_report: string;
}

/** Finds the report among the outputs. @throws Error when it is not there */
export function findReport({ tasks }: RunOutcome): ReportFiles {
  const output = tasks.find(({ node_key }) => node_key === report_node)?.output_refs[0];
  const html_report = output?.metadata?.html_report;
  if (output === undefined || typeof html_report !== "string") {
    throw new Error(
      `Expected ${report_node} to give a file with html_report in its metadata, found ${JSON.stringify(output)}`,
    );
  }
  return { report: output.uri, html_report };
}

/** The report and the services' memory, as text for a terminal. */
export async function toReportText(
  files: ReportFiles,
  peaks: Readonly<Record<string, number>>,
): Promise<string> {
  const metrics: string[][] = [];
  for await (const batch of readTable(createReadStream(files.report), ["metric", "value"])) {
    metrics.push(...batch.map(({ cells }) => [...cells]));
  }
  const memory = Object.entries(peaks).map(([name, bytes]) => [name, formatBytes(bytes)]);
  return [
    formatTable(metrics, { header: ["Report", ""], right: [1] }),
    "",
    formatTable(memory, { header: ["Peak memory", ""], right: [1] }),
    "",
    `  Metrics      ${files.report}`,
    `  HTML report  ${files.html_report}`,
    "",
  ].join("\n");
}
