import { join } from "node:path";
import { parseArgs } from "node:util";
import { planExport, readUseCase, toText, writeExport } from "@aieffect/onboarding";
import { imagesOf, oneOf, onePath, pathOf, planFlags } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";

/** Writes the portal package of a use case. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...planFlags,
      output: { type: "string" },
      overwrite: { type: "boolean" },
      zip: { type: "boolean" },
      profile: { type: "string" },
      align: { type: "boolean" },
      local: { type: "boolean" },
    },
  });
  const folder = onePath(positionals, "use case");
  const plan = planExport(await readUseCase(folder), {
    profile: oneOf("profile", values.profile, ["portal", "ai4eu-strict"]),
    align: values.align ?? false,
    local: values.local ?? false,
    ...imagesOf(values),
  });
  if (plan.problems.length > 0) process.stderr.write(toText(plan.problems));
  const output = values.output === undefined ? join(folder, "export") : pathOf(values.output);
  const written = await writeExport(plan, output, {
    overwrite: values.overwrite ?? false,
    zip: values.zip ?? false,
  });
  process.stdout.write(`${[written.folder, written.zip].filter(Boolean).join("\n")}\n`);
  return exitCodes.fine;
}
