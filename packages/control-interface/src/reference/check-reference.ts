import type { Problem } from "../reading/problem.ts";
import { fromPlainValue } from "../reading/python-json.ts";
import { readReference } from "../reading/read-reference.ts";
import type { DataReference } from "./data-reference.ts";

/** What a {@link checkReference} may forgive. */
export interface CheckReferenceOptions {
  /** Read `metadata: null` as `{}`, as in a request (R-REF-14). @default false */
  null_metadata?: boolean;
}

/** A DataReference as it was read, or every objection; `field` is relative to the reference, `` for the whole. */
export type CheckedReference =
  | { reference: DataReference; problems: [] }
  | { reference?: undefined; problems: Problem[] };

/**
 * Checks a reference as a reader: what passes here, the deployed orchestrator accepts, and what
 * does not, it rejects (R-REF-17). The values keep the types that the orchestrator would pass on.
 */
export function checkReference(value: unknown, options: CheckReferenceOptions = {}): CheckedReference {
  const forgiven =
    options.null_metadata && isNullMetadata(value) ? { ...(value as object), metadata: {} } : value;
  const read = readReference(fromPlainValue(forgiven), "reference");
  if (read.reference !== undefined) return read;
  return {
    problems: read.problems.map((problem) => ({
      ...problem,
      field: problem.field.replace(/^reference\.?/, "").replace(/^format\..*/, "format"),
    })),
  };
}

function isNullMetadata(value: unknown): boolean {
  return value !== null && typeof value === "object" && "metadata" in value && value.metadata === null;
}
