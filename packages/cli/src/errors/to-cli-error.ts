import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../usage-error.ts";
import { CliError } from "./cli-error.ts";

/** Turns whatever a command threw into an error that says what to do; for a bug of ours a report is written. */
export async function toCliError(thrown: unknown, command: string): Promise<CliError> {
  if (thrown instanceof CliError) return thrown;
  const { message, syscall, stack, name } = thrown as NodeJS.ErrnoException;
  if (isUsage(thrown)) {
    return new CliError("usage", message, { fixes: [`aieffect ${command} --help`], cause: thrown });
  }
  // Whatever was given up was given up by the user.
  if ((thrown as { code?: unknown }).code === "aborted") {
    return new CliError("cancelled", `Interrupted: ${message}`, { cause: thrown });
  }
  // A plain error has a message for people, and so has what the system refused; the rest nobody meant.
  const isMeant =
    (thrown as Error)?.constructor === Error || syscall !== undefined || name === "ControlError";
  if (isMeant) return new CliError("failed", message, { cause: thrown });
  const report = join(tmpdir(), `aieffect-report-${process.pid}.txt`);
  const about = `aieffect ${command}\nnode ${process.version} ${process.platform} ${process.arch}\n`;
  // Arguments and environment stay out: they may hold keys.
  const written = await writeFile(report, `${about}\n${stack ?? String(thrown)}\n`, { mode: 0o600 }).then(
    () => `the report is in ${report}`,
    (error: Error) => `and no report could be written: ${error.message}`,
  );
  return new CliError("internal-error", `This is a bug of aieffect: ${message}`, {
    state: written,
    cause: thrown,
  });
}

/** Codes of a ControlError that blame what was handed in. */
const documents: ReadonlySet<string> = new Set(["invalid_request", "invalid_reference"]);

/** What the command line said makes no sense, whoever found that out. */
function isUsage(thrown: unknown): boolean {
  const { code = "", name = "" } = thrown as { code?: string; name?: string };
  if (thrown instanceof UsageError || thrown instanceof RangeError) return true;
  // Inputs that are no references, hosts that must not be called.
  return code.startsWith("ERR_PARSE_ARGS") || documents.has(code) || name === "InvalidDocumentError";
}
