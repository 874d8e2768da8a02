import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { useCasePaths } from "@aieffect/local-run";

// By its name, because this file lies in another place when it is compiled.
const own_package = createRequire(import.meta.url).resolve(
  "@aieffect/file-based-energy-pipeline/package.json",
);
const use_case = dirname(own_package);

/** Where the use case's things lie. */
export const paths = useCasePaths(use_case, [
  "input_provider",
  "data_generator",
  "data_analyzer",
  "report_generator",
]);

/** The sample readings that come with the use case. */
export const sample_file = join(use_case, "sample-data", "household-energy.csv");

/** The node whose output is the report. */
export const report_node = "report_generator1:GenerateReport";
