import { join } from "node:path";
import { parseArgs } from "node:util";
import { planExport, readUseCase, writeBuildScript } from "@aieffect/onboarding";
import { imagesOf, onePath, pathOf, planFlags } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";
import { writeOutput } from "../output.ts";

/** Writes build_and_tag.sh. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...planFlags, output: { type: "string" }, overwrite: { type: "boolean" } },
  });
  const folder = onePath(positionals, "use case");
  const plan = planExport(await readUseCase(folder), imagesOf(values));
  const output = values.output === undefined ? join(folder, "build_and_tag.sh") : pathOf(values.output);
  const overwrite = values.overwrite ?? false;
  await writeOutput(output, writeBuildScript(plan), { overwrite, executable: true });
  return exitCodes.fine;
}
