import { type ReportDocument, reportSchema } from "../report/document.ts";
import { type CommandContext, readNamed } from "./context.ts";
import { UsageError } from "./errors.ts";

/** A JSON report that `test` wrote. @throws UsageError */
export async function readReport(path: string, context: CommandContext): Promise<ReportDocument> {
  const text = await readNamed("the report", path, context);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(
      `Expected a JSON report of aieffect-conformance test (--report json=FILE) in ${path}. ${(cause as Error).message}`,
      { cause },
    );
  }
  const parsed = reportSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new UsageError(
    `Expected a JSON report of schema 1 in ${path}; ${first?.path.join(".") || "(top)"}: ${first?.message}`,
  );
}
