/** The parts of a submission that are checked after its shape. */
export type DocumentName = "blueprint" | "dockerinfo" | "inputs" | "parameters" | "nodes";

/** One thing that is wrong in a document. */
export interface DocumentProblem {
  document: DocumentName;
  /** Where, e.g. `nodes[0].container_name`; empty for the whole. */
  at: string;
  /** What was expected and what was found. */
  message: string;
}

const mostPrinted = 50;

/** A submission whose documents cannot be run. `problems` has all of them, the message the first 50. */
export class InvalidDocumentError extends Error {
  override readonly name = "InvalidDocumentError";
  readonly problems: readonly DocumentProblem[];

  constructor(problems: readonly DocumentProblem[]) {
    super(toText(problems));
    this.problems = problems;
  }
}

/** `Invalid blueprint: a; b; Invalid inputs: c`: each document's first problem names the document. */
function toText(problems: readonly DocumentProblem[]): string {
  const lines = problems.slice(0, mostPrinted).map(({ document, at, message }, index) => {
    const prefix = problems[index - 1]?.document === document ? "" : `Invalid ${document}: `;
    return `${prefix}${at === "" ? "" : `${at}: `}${message}`;
  });
  const rest = problems.length - lines.length;
  return [...lines, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ");
}
