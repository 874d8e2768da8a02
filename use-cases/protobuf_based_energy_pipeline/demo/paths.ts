import { createRequire } from "node:module";
import { dirname } from "node:path";
import { useCasePaths } from "@aieffect/local-run";

// By its name, because this file lies in another place when it is compiled.
const own_package = createRequire(import.meta.url).resolve(
  "@aieffect/protobuf-based-energy-pipeline/package.json",
);
const use_case = dirname(own_package);

/** Where the use case's things lie. */
export const paths = useCasePaths(use_case, [
  "input_provider",
  "data_generator",
  "data_analyzer",
  "report_generator",
]);

/** The node whose output is the report. */
export const report_node = "report_generator1:GenerateReport";
