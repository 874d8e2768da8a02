/** One thing that the deployed orchestrator objects to in a message. */
export interface Problem {
  /** Where, spelled as its validator spells it: `status`, `output.uri`, `output.format.str`, `` for the whole. */
  field: string;
  /** The rule of CONTRACT.md that is broken, e.g. `R-REF-10`. */
  rule: string;
  /** What was expected and what was found. */
  message: string;
}

/** What the deployed orchestrator makes of a message: a value, or objections. */
export type Reading<T> = { accepted: true; read_as: T } | { accepted: false; problems: Problem[] };

/** A found value in a message, short enough to print. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value, (_key, member) =>
    typeof member === "bigint" ? Number(member) : member,
  );
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
