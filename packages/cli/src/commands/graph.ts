import { parseArgs } from "node:util";
import {
  type DrawnBlueprint,
  ProblemsError,
  planExport,
  readPackage,
  readUseCase,
  toMermaid,
  toSvg,
} from "@aieffect/onboarding";
import { oneOf, onePath, pathOf } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";
import { isExport } from "../is-export.ts";
import { writeOutput } from "../output.ts";

/** Draws a pipeline. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { format: { type: "string" }, output: { type: "string" } },
  });
  const blueprint = await readBlueprint(onePath(positionals, "use case or export"));
  const told = values.format ?? (values.output?.endsWith(".svg") ? "svg" : undefined);
  const format = oneOf("format", told, ["mermaid", "svg"]);
  const output = values.output === undefined ? undefined : pathOf(values.output);
  await writeOutput(output, format === "svg" ? toSvg(blueprint) : toMermaid(blueprint), { overwrite: true });
  return exitCodes.fine;
}

async function readBlueprint(path: string): Promise<DrawnBlueprint> {
  if (!(await isExport(path))) return planExport(await readUseCase(path)).blueprint;
  const { blueprint, problems } = await readPackage(path);
  if (blueprint === undefined) throw new ProblemsError(problems);
  return blueprint;
}
