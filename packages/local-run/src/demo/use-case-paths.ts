import { join } from "node:path";
import type { ServiceProgram } from "../services/start-services.ts";
import type { Demo } from "./demo.ts";

/** Where a use case's things lie; all paths are absolute. */
export type UseCasePaths = Pick<Demo, "programs" | "blueprint_file" | "data_dir" | "submit_script">;

/**
 * The paths of a use case that is laid out as ours are: compiled services in
 * `dist/services/<node>/src/main.js`, `export/`, `data/` and `submit-workflow.sh`.
 *
 * @param nodes folders of its services; their containers have a 1 behind the name
 */
export function useCasePaths(use_case: string, nodes: readonly string[]): UseCasePaths {
  const programs = nodes.map(
    (node): ServiceProgram => ({
      container_name: `${node}1`,
      entry: join(use_case, "dist", "services", node, "src", "main.js"),
    }),
  );
  return {
    programs,
    blueprint_file: join(use_case, "export", "blueprint.json"),
    // Not under version control.
    data_dir: join(use_case, "data"),
    submit_script: join(use_case, "submit-workflow.sh"),
  };
}
