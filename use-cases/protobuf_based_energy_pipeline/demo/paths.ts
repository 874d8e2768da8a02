import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ServiceProgram } from "@aieffect/local-run";

// By its name, because this file lies in another place when it is compiled.
const own_package = createRequire(import.meta.url).resolve(
  "@aieffect/protobuf-based-energy-pipeline/package.json",
);
const use_case = dirname(own_package);

/** Where results and logs go; not under version control. */
export const data_dir = join(use_case, "data");

/** Submits further workflows to a demo that is kept running. */
export const submit_script = join(use_case, "submit-workflow.sh");

/** The pipeline as the portal would export it. */
export const blueprint_file = join(use_case, "export", "blueprint.json");

/** The node whose output is the report. */
export const report_node = "report_generator1:GenerateReport";

/** The use case's services, by the names that their containers have in the blueprint. */
export const programs: readonly ServiceProgram[] = [
  "input_provider",
  "data_generator",
  "data_analyzer",
  "report_generator",
].map((node) => ({
  container_name: `${node}1`,
  entry: join(use_case, "dist", "services", node, "src", "main.js"),
}));
