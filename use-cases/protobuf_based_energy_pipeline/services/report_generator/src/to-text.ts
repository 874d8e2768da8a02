import type { GenerateReportResponse } from "../../../generated/report_generator.ts";

/** A report as a text file. */
export function toText({ sections, summary }: GenerateReportResponse): string {
  const parts = sections.map(({ title, content }) =>
    [title, "-".repeat(title.length), ...content, ""].join("\n"),
  );
  return `${parts.join("\n")}\n${summary}\n`;
}
