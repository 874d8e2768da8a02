import { relative, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import {
  type Deployment,
  planDeployment,
  planExport,
  readPackage,
  readUseCase,
  writeCompose,
} from "@aieffect/onboarding";
import { imagesOf, onePath, pathOf, planFlags, portOf } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";
import { isExport } from "../is-export.ts";
import { writeOutput } from "../output.ts";
import { UsageError } from "../usage-error.ts";

/** Writes a compose file that goes with the export. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...planFlags,
      output: { type: "string" },
      overwrite: { type: "boolean" },
      dev: { type: "boolean" },
      context: { type: "string" },
      "control-base-port": { type: "string" },
      "base-port": { type: "string" },
      orchestrator: { type: "boolean" },
    },
  });
  const control_base_port = portOf("control-base-port", values["control-base-port"]);
  const base_port = portOf("base-port", values["base-port"]);
  const folder = onePath(positionals, "use case or export");
  const plan = await planOf(folder, values);
  const text = writeCompose(plan, {
    dev: values.dev ?? false,
    orchestrator: values.orchestrator ?? false,
    ...(values.context !== undefined && contextOf(folder, values.context)),
    ...(control_base_port !== undefined && { control_base_port }),
    ...(base_port !== undefined && { base_port }),
  });
  const output = values.output === undefined ? undefined : pathOf(values.output);
  await writeOutput(output, text, { overwrite: values.overwrite ?? false });
  return exitCodes.fine;
}

/** A use case is exported in thought; an export says itself which images it takes. */
async function planOf(
  path: string,
  values: Parameters<typeof imagesOf>[0] & { dev?: boolean; context?: string },
): Promise<Deployment> {
  if (!(await isExport(path))) return planExport(await readUseCase(path), imagesOf(values));
  const given = (["dev", "context", "registry", "tag", "digest"] as const).filter(
    (name) => values[name] !== undefined,
  );
  if (given.length > 0) {
    throw new UsageError(
      `Expected a use case for --${given.join(" and --")}, found the export ${path}; give the folder that it was made from`,
    );
  }
  return planDeployment(await readPackage(path));
}

/** Dockerfiles are named as seen from the build context. */
function contextOf(folder: string, context: string): { context: string; prefix: string } {
  return { context, prefix: relative(resolve(folder, context), folder).split(sep).join("/") };
}
