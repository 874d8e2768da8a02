import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import {
  checkExport,
  checkUseCase,
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

/** Lints a use case, or an export. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { profile: { type: "string" }, format: { type: "string" }, output: { type: "string" } },
  });
  const path = onePath(positionals, "use case or export");
  const profile = oneOf("profile", values.profile, ["portal", "ai4eu-strict"]);
  const format = oneOf("format", values.format, ["text", "json", "sarif"]);
  const problems = await problemsOf(path, profile);
  const base = (await stat(path).catch(() => undefined))?.isDirectory() ? path : dirname(path);
  const output = values.output === undefined ? undefined : pathOf(values.output);
  await writeOutput(output, render(problems, format, base), { overwrite: true });
  return problems.some(({ severity }) => severity === "error") ? exitCodes.invalidDocument : exitCodes.fine;
}

/** What cannot be read at all is a problem as well, and in the report. */
async function problemsOf(path: string, profile: "portal" | "ai4eu-strict"): Promise<readonly Problem[]> {
  if (!(await isExport(path))) return checkUseCase(await readUseCase(path), { profile });
  try {
    return checkExport(await readPackage(path), { profile });
  } catch (error) {
    if (error instanceof ProblemsError) return error.problems;
    throw error;
  }
}

function render(problems: readonly Problem[], format: "text" | "json" | "sarif", folder: string): string {
  if (format === "json") return toJson(problems);
  return format === "sarif" ? toSarif(problems, folder) : toText(problems);
}
