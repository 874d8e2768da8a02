/** What a program ends with; the same numbers in every door. */
export const exitCodes = {
  done: 0,
  internal: 1,
  usage: 2,
  conflict: 3,
  invalidDocument: 4,
  environment: 5,
  verification: 6,
  cancelled: 130,
} as const;

/** Every way in which scaffolding fails: a permanent code, its name, and what the program ends with. */
export const scaffoldCodes = {
  AE1101: ["internal-error", exitCodes.internal],
  AE1201: ["bad-name", exitCodes.usage],
  AE1202: ["unknown-choice", exitCodes.usage],
  AE1203: ["missing-answer", exitCodes.usage],
  AE1204: ["bad-usage", exitCodes.usage],
  AE1205: ["outside-target", exitCodes.usage],
  AE1301: ["target-not-empty", exitCodes.conflict],
  AE1302: ["target-changed", exitCodes.conflict],
  AE1303: ["name-taken", exitCodes.conflict],
  AE1401: ["not-a-service", exitCodes.invalidDocument],
  AE1402: ["unexpected-content", exitCodes.invalidDocument],
  AE1501: ["write-failed", exitCodes.environment],
  AE1502: ["program-failed", exitCodes.environment],
  AE1601: ["verification-failed", exitCodes.verification],
  AE1901: ["cancelled", exitCodes.cancelled],
} as const satisfies Record<string, readonly [string, number]>;

/** One of {@link scaffoldCodes}. */
export type ScaffoldCode = keyof typeof scaffoldCodes;

/** What an error tells beside its code. */
export interface ScaffoldErrorParts {
  /** What it is about: a path, a flag. */
  where?: string;
  /** What was expected and what was found. */
  message: string;
  /** What the disk looks like now. @default "nothing was written" */
  state?: string;
  /** What to do next, each by itself. */
  tries?: readonly string[];
  cause?: unknown;
}

/** A failure that people can act on: what, where, the state of things, what next. */
export class ScaffoldError extends Error {
  override readonly name = "ScaffoldError";
  readonly code: ScaffoldCode;
  readonly where: string | undefined;
  readonly state: string;
  readonly tries: readonly string[];

  constructor(
    code: ScaffoldCode,
    { where, message, state = "nothing was written", tries = [], cause }: ScaffoldErrorParts,
  ) {
    super(message, { cause });
    this.code = code;
    this.where = where;
    this.state = state;
    this.tries = tries;
  }

  /** The code's name, as in `target-not-empty`. */
  get slug(): string {
    return scaffoldCodes[this.code][0];
  }

  /** What a program that fails with it ends with. */
  get exitCode(): number {
    return scaffoldCodes[this.code][1];
  }
}

/** An error as people read it: three lines at most. */
export function toErrorText(error: ScaffoldError): string {
  const where = error.where === undefined ? "" : `  ${error.where}`;
  const tries = error.tries.length === 0 ? "" : `\n  try:  ${error.tries.join(" | ")}`;
  return `error ${error.code} ${error.slug}${where}  ${error.message}\n  ${error.state}${tries}\n`;
}

/** An error as programs read it: one JSON object. */
export function toErrorJson(error: ScaffoldError): string {
  const { code, slug, where, message, state, tries, exitCode } = error;
  return `${JSON.stringify({ ok: false, error: { code, name: slug, where, message, state, try: tries }, exit_code: exitCode })}\n`;
}

/** Any thrown value as a {@link ScaffoldError}; what is none is a bug of ours. */
export function toScaffoldError(error: unknown, state?: string): ScaffoldError {
  if (error instanceof ScaffoldError) return error;
  return new ScaffoldError("AE1101", {
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    state: state ?? "this is a bug; please report it with the lines above",
    cause: error,
  });
}
