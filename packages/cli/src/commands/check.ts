import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import {
  checkExport,
  checkUseCase,
  type PlanOptions,
  type Problem,
  ProblemsError,
  readPackage,
  readUseCase,
  toJson,
  toSarif,
  toText,
} from "@aieffect/onboarding";
import { oneOf, onePath, pathOf } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";
import { isExport } from "../is-export.ts";
import { writeOutput } from "../output.ts";
import { UsageError } from "../usage-error.ts";

/** Lints a use case, or an export. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      profile: { type: "string" },
      align: { type: "boolean" },
      local: { type: "boolean" },
      format: { type: "string" },
      output: { type: "string" },
    },
  });
  const path = onePath(positionals, "use case or export");
  const profile = oneOf("profile", values.profile, ["portal", "ai4eu-strict"]);
  const format = oneOf("format", values.format, ["text", "json", "sarif"]);
  const { align = false, local = false } = values;
  const problems = await problemsOf(path, { profile, align, local });
  const base = (await stat(path).catch(() => undefined))?.isDirectory() ? path : dirname(path);
  const output = values.output === undefined ? undefined : pathOf(values.output);
  await writeOutput(output, render(problems, format, base), { overwrite: true });
  return problems.some(({ severity }) => severity === "error") ? exitCodes.invalidDocument : exitCodes.fine;
}

/** What cannot be read at all is a problem as well, and in the report. */
async function problemsOf(path: string, options: PlanOptions): Promise<readonly Problem[]> {
  if (!(await isExport(path))) return checkUseCase(await readUseCase(path), options);
  const { align, local } = options;
  if (align || local) {
    throw new UsageError(
      `Expected a use case for --${align ? "align" : "local"}, found the export ${path}; give the folder that it was made from`,
    );
  }
  try {
    return checkExport(await readPackage(path), options);
  } catch (error) {
    if (error instanceof ProblemsError) return error.problems;
    throw error;
  }
}

function render(problems: readonly Problem[], format: "text" | "json" | "sarif", folder: string): string {
  if (format === "json") return toJson(problems);
  return format === "sarif" ? toSarif(problems, folder) : toText(problems);
}
