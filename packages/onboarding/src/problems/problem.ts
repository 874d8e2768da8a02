/** What a rule objects to. A code is permanent. */
export type ProblemCode =
  /** A file is missing or cannot be read. */
  | "unreadable"
  /** It is not the JSON, or the proto, that it should be. */
  | "syntax"
  /** A field is missing, of the wrong type, or unknown. */
  | "field"
  /** A connection names a service that is not there. */
  | "unknown-service"
  /** A name fits several services: two folders share an address. */
  | "ambiguous-service"
  /** A connection names an RPC that the proto does not have. */
  | "unknown-method"
  /** A connection leaves a method open where the proto has several. */
  | "method-needed"
  /** A folder below services/ that service_mapping does not have. */
  | "unmapped-folder"
  /** A mapping without a folder. */
  | "missing-folder"
  /** A folder with no proto, or with several. */
  | "proto-count"
  /** A proto without an RPC. */
  | "no-method"
  /** The output message of one end differs from the input message of the other. */
  | "message-mismatch"
  | "cycle"
  /** A node that no start node leads to. */
  | "unreachable"
  /** The service that the workflow begins with takes the output of another. */
  | "start"
  /** The same connection twice. */
  | "duplicate"
  /** An import that cannot be found. */
  | "import"
  /** A proto has to be rewritten, and has something that cannot be written again. */
  | "unprintable"
  /** What the profile ai4eu-strict does not allow in a proto. */
  | "strict"
  /** Names that would become the same file, container or image. */
  | "name-clash"
  /** A name that cannot be a container's, an image's or a host's. */
  | "name"
  /** With `--local`: a port that the compose file does not publish. */
  | "host-port"
  /** The output folder is there already. */
  | "exists";

/** One objection: where it is, what was expected and found, and what to do. */
export interface Problem {
  code: ProblemCode;
  /** Errors keep an export from being written; warnings do not. */
  severity: "error" | "warning";
  /** Relative to the use case, with `/`. */
  file: string;
  /** From 1 on; undefined where it concerns the file as a whole. */
  line: number | undefined;
  /** "Expected ..., found ..." */
  message: string;
  fix: string;
}

/** What could not be done, with every problem at once. */
export class ProblemsError extends Error {
  override readonly name = "ProblemsError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(toLine).join("\n"));
    this.problems = problems;
  }
}

/** As compilers print it, so that editors find the place. */
export function toLine({ file, line, severity, code, message, fix }: Problem): string {
  const text = `${file}${line === undefined ? "" : `:${line}`}: ${severity} [${code}] ${message}. ${fix}`;
  // Names in somebody's documents must not begin a line, nor speak to the terminal.
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, (sign) =>
    sign === "\n" ? "\\n" : `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** In the order in which one reads. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const key = ({ file, line = 0, code, message }: Problem) => [file, line, code, message] as const;
  return problems.toSorted((one, other) => {
    const [a, b] = [key(one), key(other)];
    for (const [at, left] of a.entries()) {
      const right = b[at] as string | number;
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  });
}
