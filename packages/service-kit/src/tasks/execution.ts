import type {
  DataReference,
  ExecuteResponse,
  Format,
  StatusResponse,
  StatusWord,
} from "@aieffect/control-interface";
import type { Style } from "../operation.ts";

/** A payload that /control/data sends. */
export interface Payload {
  path: string;
  format: Format;
  /** Checked before it is sent. */
  size_bytes: number;
}

/**
 * One execution of an operation (R-RUN-04): plain data, so that any store can keep it. Every field
 * is always there, in one order: thousands of these are kept, and objects of one shape are small.
 */
export interface Execution {
  /** Unique for ever; what `running` answers with. */
  handle: string;
  workflow_id: string;
  /** The orchestrator's name; several executions can share it. */
  task_id: string;
  method: string;
  style: Style;
  /** Equal for equal requests (R-IDEM-07). Given up at the end, where no key can ask for it. */
  fingerprint: string;
  /** Every Idempotency-Key that led here (R-IDEM-06). */
  idempotency_keys: readonly string[];
  /** What the first caller was told: that it runs, or how it ended. */
  first_answer: "running" | "end" | undefined;
  status: StatusWord;
  /** Percent, 0 to 100, never falling (R-STAT-02). */
  progress: number;
  message: string | undefined;
  error: string | null;
  /** The task was lost with its service (R-LOST-01). */
  retryable: boolean;
  output: DataReference | null;
  /** What /control/data sends, where the service holds it. */
  payload: Payload | undefined;
  /** The folder of this execution, once it has one. */
  folder: string | undefined;
  /** Size of all files in that folder, counted at the end; 0 before. */
  folder_bytes: number;
  /** The caller's `X-Correlation-Id`, for the log (R-LOG-02). */
  correlation_id: string | undefined;
  /** Every progress that was seen while it ran, oldest first: at most one per percent. */
  steps: readonly number[];
  /** Epoch ms. */
  created_at: number;
  /** Epoch ms; undefined while it runs. */
  ended_at: number | undefined;
}

/** What may change in a running execution. */
export type ExecutionChange = Partial<
  Pick<
    Execution,
    | "status"
    | "progress"
    | "message"
    | "error"
    | "retryable"
    | "output"
    | "payload"
    | "folder"
    | "folder_bytes"
    | "ended_at"
  >
>;

const noKeys: readonly string[] = Object.freeze([]);
const firstStep: readonly number[] = Object.freeze([0]);

/** A new execution, running from now on. */
export function createExecution(
  handle: string,
  request: { workflow_id: string; task_id: string; method: string },
  style: Style,
  fingerprint: string,
  created_at: number,
  idempotency_key: string | undefined,
  correlation_id?: string | undefined,
): Execution {
  return {
    handle,
    workflow_id: request.workflow_id,
    task_id: request.task_id,
    method: request.method,
    style,
    fingerprint,
    idempotency_keys: idempotency_key === undefined ? noKeys : [idempotency_key],
    first_answer: undefined,
    status: "running",
    progress: 0,
    message: undefined,
    error: null,
    retryable: false,
    output: null,
    payload: undefined,
    folder: undefined,
    folder_bytes: 0,
    correlation_id,
    steps: firstStep,
    created_at,
    ended_at: undefined,
  };
}

/**
 * Changes an execution in place; false where the change comes too late: what has ended never
 * changes (R-STAT-05), progress never falls (R-STAT-02).
 */
export function applyChange(execution: Execution, change: ExecutionChange): boolean {
  if (hasEnded(execution)) return false;
  const before = execution.progress;
  Object.assign(execution, change);
  execution.progress = execution.status === "complete" ? 100 : Math.max(before, execution.progress);
  if (hasEnded(execution)) {
    if (execution.idempotency_keys.length === 0) execution.fingerprint = "";
  } else if (execution.progress !== before) {
    execution.steps = [...execution.steps, execution.progress];
  }
  return true;
}

/** What every log line about it has (R-LOG-01, R-LOG-02). */
export function idsOf({ workflow_id, task_id, method, correlation_id }: TaskNames) {
  const ids = { workflow_id, task_id, method };
  return correlation_id === undefined ? ids : { ...ids, correlation_id };
}

/** What a task is called, before it has an execution and after. */
export type TaskNames = Pick<Execution, "workflow_id" | "task_id" | "method"> &
  Partial<Pick<Execution, "correlation_id" | "handle">>;

/** Whether it is complete or failed. */
export function hasEnded({ status }: Execution): boolean {
  return status !== "running";
}

/** How many changes of status or progress a caller could have seen so far, the beginning included. */
export function countChanges(execution: Execution): number {
  return execution.steps.length + (hasEnded(execution) ? 1 : 0);
}

/** The status body of the change with this number, counted from 0. */
export function changeAt(execution: Execution, index: number): StatusResponse {
  const progress = execution.steps[index];
  const isLatest = index === countChanges(execution) - 1;
  if (progress === undefined || isLatest) return toStatusBody(execution);
  return { status: "running", progress, error: null };
}

/** The answer to status (R-STAT-01). */
export function toStatusBody({ status, progress, error, message, retryable }: Execution): StatusResponse {
  const body: StatusResponse = { status, progress, error };
  if (message !== undefined) body.message = message;
  if (retryable) body.retryable = true;
  return body;
}

/** The answer to execute (R-EXEC-05 to 10). */
export function toExecuteAnswer(execution: Execution): ExecuteResponse {
  switch (execution.status) {
    case "running":
      return { status: "running", task_id: execution.handle };
    case "complete":
      return { status: "complete", output: execution.output };
    case "failed": {
      const error = execution.error ?? "The task failed";
      return execution.retryable ? { status: "failed", error, retryable: true } : { status: "failed", error };
    }
  }
}
