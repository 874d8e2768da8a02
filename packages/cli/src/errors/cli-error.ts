import { exitCodes } from "../exit-codes.ts";

/** Every way in which a command can end early. The AE number is permanent and never given twice. */
export const problems = {
  /** A bug of ours; a report was written. */
  "internal-error": { code: "AE1101", exit: exitCodes.failed },
  failed: { code: "AE1001", exit: exitCodes.failed },
  usage: { code: "AE2001", exit: exitCodes.usage },
  "input-unreadable": { code: "AE2002", exit: exitCodes.usage },
  "unknown-operation": { code: "AE2003", exit: exitCodes.usage },
  "unknown-format": { code: "AE2004", exit: exitCodes.usage },
  "manifest-missing": { code: "AE4301", exit: exitCodes.invalidDocument },
  "manifest-invalid": { code: "AE4302", exit: exitCodes.invalidDocument },
  "nothing-to-start": { code: "AE5001", exit: exitCodes.environment },
  "port-taken": { code: "AE5002", exit: exitCodes.environment },
  "package-missing": { code: "AE5003", exit: exitCodes.environment },
  "task-failed": { code: "AE8201", exit: exitCodes.finding },
  "reply-invalid": { code: "AE8202", exit: exitCodes.finding },
  "output-unreadable": { code: "AE8203", exit: exitCodes.finding },
  "task-too-long": { code: "AE8204", exit: exitCodes.finding },
  "not-conformant": { code: "AE8205", exit: exitCodes.finding },
  "service-unreachable": { code: "AE9001", exit: exitCodes.unreachable },
  "wrong-protocol": { code: "AE9002", exit: exitCodes.unreachable },
  "service-refused": { code: "AE9003", exit: exitCodes.unreachable },
  cancelled: { code: "AE9130", exit: exitCodes.interrupted },
} as const;

/** The name of a problem, as it stands behind its AE number. */
export type ProblemName = keyof typeof problems;

/** What an error can say beside what happened. */
interface CliErrorOptions extends ErrorOptions {
  /** How things stand now, e.g. "nothing was written". */
  state?: string;
  /** What can be done, each a command, a flag or a sentence. */
  fixes?: readonly string[];
}

/** Why a command ended: what, where, how things stand, what next. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly problem: ProblemName;
  readonly state: string | undefined;
  readonly fixes: readonly string[];

  constructor(problem: ProblemName, message: string, { state, fixes = [], cause }: CliErrorOptions = {}) {
    super(message, { cause });
    this.problem = problem;
    this.state = state;
    this.fixes = fixes;
  }

  /** The permanent number, as in `AE9001`. */
  get code(): string {
    return problems[this.problem].code;
  }

  /** What the command ends with. */
  get exitCode(): number {
    return problems[this.problem].exit;
  }
}

/** The error for people: at most three lines. */
export function toErrorText({ code, problem, message, state, fixes }: CliError): string {
  const lines = [`error ${code} ${problem}  ${message}`];
  if (state !== undefined) lines.push(`  ${state}`);
  if (fixes.length > 0) lines.push(`  try:  ${fixes.join(" | ")}`);
  return `${lines.join("\n")}\n`;
}

/** The error for programs: one JSON object. */
export function toErrorJson({ code, problem, message, state, fixes, exitCode }: CliError): string {
  const error = { code, name: problem, message, state, try: fixes };
  return `${JSON.stringify({ ok: false, error, exit_code: exitCode })}\n`;
}
