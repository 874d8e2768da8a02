import { dirname } from "node:path";
import { createInlineReference } from "@aieffect/control-interface";
import { type Demo, toCount, UsageError } from "@aieffect/local-run";
import { toFileInput } from "./file-input.ts";
import { paths, sample_file } from "./paths.ts";
import { findReport, toReportText } from "./report.ts";

/** The file-based energy pipeline on one machine. */
export const demo: Demo = {
  title: "File-based energy pipeline",
  ...paths,
  options: ["input", "records"],
  help: `Runs the file-based energy pipeline on this machine: four services, an orchestrator, one workflow.

Usage: npm run demo -- [options]

  --pipeline NAME  file (this one, the default) or protobuf; with --help: its options
  --input FILE     analyse this CSV (timestamp,household_id,power_consumption,voltage,current)
  --records N      generate N readings and analyse them
                   (without either: the sample data of the use case)
  --keep           leave everything running until Ctrl-C, to submit further workflows
  --json           end with one line of JSON on standard output; the rest goes to standard error
  --data-dir DIR   where results and logs go (default: the use case's data folder)
  --help           this text

From 64 MiB or 1,000,000 readings on, the services work concurrently and report their progress;
EXECUTION_STYLE=sequential or concurrent in the environment decides otherwise.
Exit codes: 0 done, 1 the workflow failed, 2 wrong usage, 130 interrupted.
`,
  toInput({ values: { input, records }, toPath }) {
    if (input !== undefined && records !== undefined) {
      throw new UsageError("Expected --input or --records, found both; choose one");
    }
    if (records === undefined) return toFileInput(input === undefined ? sample_file : toPath(input));
    const num_records = toCount("records", records, 50_000_000);
    const configuration = JSON.stringify({ num_records, output_format: "csv" });
    return {
      reference: createInlineReference(configuration, "json"),
      description: `${num_records} readings to be generated`,
      data_roots: [dirname(sample_file)],
      is_long: num_records >= 1_000_000,
    };
  },
  async toResult(outcome) {
    const files = findReport(outcome);
    return {
      text: await toReportText(files),
      files: [
        ["Metrics", files.report],
        ["HTML report", files.html_report],
      ],
      fields: { ...files },
    };
  },
};
