import { createExecution, type Execution } from "../../tasks/execution.ts";

/** An execution as it is in Redis. */
export interface Current {
  execution: Execution;
  /** Differs after every change; see {@link nextVersion}. */
  version: string;
  /** Counts the changes. */
  number: number;
  /** Who runs it. */
  replica: string;
}

/** With every field, for those that JSON leaves out because they are undefined. */
const blank = createExecution(
  "",
  { workflow_id: "", task_id: "", method: "" },
  "concurrent",
  "",
  0,
  undefined,
);

/** An execution from its JSON; a first answer that came after its beginning is kept beside it. */
export function toExecution(json: string, first_answer: string | null): Execution {
  const execution: Execution = { ...blank, ...(JSON.parse(json) as Execution) };
  if (first_answer === "running" || first_answer === "end") execution.first_answer ??= first_answer;
  return execution;
}

/** The fields of an execution's hash that {@link toCurrent} takes, in its order. */
export const currentFields = ["v", "x", "a", "r"] as const;

/** An execution from its hash; undefined where there is none. */
export function toCurrent(values: (string | null)[]): Current | undefined {
  const [version, json, first_answer, replica] = values;
  if (version == null || json == null) return undefined;
  return {
    execution: toExecution(json, first_answer ?? null),
    version,
    number: versionNumber(version),
    replica: replica ?? "",
  };
}

let writes = 0;

/** `<count>.<writer>.<write>`: tells order, and who wrote, so that a writer knows its own again. */
export function nextVersion(number: number, writer: string): string {
  return `${number + 1}.${writer}.${++writes}`;
}

export function versionNumber(version: string): number {
  return Number.parseInt(version, 10);
}
