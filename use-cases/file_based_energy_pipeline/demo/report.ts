import { createReadStream } from "node:fs";
import { formatTable, type RunOutcome } from "@aieffect/local-run";
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

/** The metrics, as text for a terminal. */
export async function toReportText({ report }: ReportFiles): Promise<string> {
  const metrics: string[][] = [];
  for await (const batch of readTable(createReadStream(report), ["metric", "value"])) {
    metrics.push(...batch.map(({ cells }) => [...cells]));
  }
  return formatTable(metrics, { header: ["Report", ""], right: [1] });
}
