import type { DataReference } from "../reference/data-reference.ts";
import { readInteger } from "./lax.ts";
import { type Problem, type Reading, show } from "./problem.ts";
import type { PythonValue } from "./python-json.ts";
import { readReference } from "./read-reference.ts";

/** The three answers an orchestrator reads. */
export const replyKinds = ["execute", "status", "output"] as const;
export type ReplyKind = (typeof replyKinds)[number];

/** The three words a service has for what became of a task (R-EXEC-16). */
export const statusWords = ["complete", "running", "failed"] as const;
export type StatusWord = (typeof statusWords)[number];

/** An answer to execute as the orchestrator understood it; fields that were null are absent. */
export interface ExecuteReading {
  status: StatusWord;
  output?: DataReference;
  task_id?: string;
  error?: string;
}

/** An answer to status as the orchestrator understood it. `progress` is unbounded here. */
export interface StatusReading {
  status: StatusWord;
  progress?: number;
  error?: string;
}

/** An answer to output as the orchestrator understood it. */
export interface OutputReading {
  output: DataReference;
}

/** Which reading belongs to which kind of answer. */
export interface ReplyReadings {
  execute: ExecuteReading;
  status: StatusReading;
  output: OutputReading;
}

type Members = { [key: string]: PythonValue };
type Found = { value?: unknown; problems: Problem[] };
type FieldReader = (value: PythonValue | undefined) => Found;

const status: FieldReader = (value) =>
  found(
    "status",
    value,
    statusWords.includes(value as StatusWord),
    "R-READ-05",
    `status to be one of ${statusWords.join(", ")}`,
  );

const optionalText =
  (field: string): FieldReader =>
  (value) =>
    found(
      field,
      value,
      value == null || typeof value === "string",
      "R-READ-06",
      `${field} to be a text or null`,
    );

const progress: FieldReader = (value) => {
  if (value == null) return { problems: [] };
  const integer = readInteger(value);
  const result = found("progress", value, integer !== undefined, "R-READ-07", "progress to be an integer");
  return integer === undefined ? result : { value: Number(integer), problems: [] };
};

const reference =
  (required: boolean): FieldReader =>
  (value) => {
    if (value == null && !required) return { problems: [] };
    if (value == null) return found("output", value, false, "R-READ-10", "output to be a DataReference");
    const read = readReference(value, "output");
    return { value: read.reference, problems: read.problems };
  };

const fieldsOf: Record<ReplyKind, Record<string, FieldReader>> = {
  execute: {
    status,
    output: reference(false),
    task_id: optionalText("task_id"),
    error: optionalText("error"),
  },
  status: { status, progress, error: optionalText("error") },
  output: { output: reference(true) },
};

/** Reads the body of an answer as the deployed orchestrator does (R-READ-04 to R-READ-10). */
export function readReply<K extends ReplyKind>(kind: K, body: PythonValue): Reading<ReplyReadings[K]> {
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    const message = `Expected a JSON object, found ${show(body)}`;
    return { accepted: false, problems: [{ field: "", rule: "R-READ-04", message }] };
  }
  const problems: Problem[] = [];
  const read_as: Record<string, unknown> = {};
  for (const [field, read] of Object.entries(fieldsOf[kind])) {
    const result = read(Object.hasOwn(body as Members, field) ? (body as Members)[field] : undefined);
    problems.push(...result.problems);
    if (result.value != null) read_as[field] = result.value;
  }
  if (problems.length > 0) return { accepted: false, problems };
  return { accepted: true, read_as: read_as as unknown as ReplyReadings[K] };
}

function found(
  field: string,
  value: PythonValue | undefined,
  holds: boolean,
  rule: string,
  expected: string,
): Found {
  if (holds) return { value, problems: [] };
  return { problems: [{ field, rule, message: `Expected ${expected}, found ${show(value)}` }] };
}
