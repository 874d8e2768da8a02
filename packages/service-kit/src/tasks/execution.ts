import type { DataReference, ExecuteResponse, StatusResponse, StatusWord } from "@aieffect/control-interface";
import type { Style } from "../operation.ts";

/** One change that a caller can see: the status body at that moment. */
export type Change = StatusResponse;

/** A payload that /control/data sends. */
export interface Payload {
  path: string;
  format: string;
}

/** One execution of an operation (R-RUN-04); plain data, so that any store can keep it. */
export interface Execution {
  /** Unique for ever; what `running` answers with. */
  handle: string;
  workflow_id: string;
  /** The orchestrator's name; several executions can share it. */
  task_id: string;
  method: string;
  style: Style;
  /** SHA-256 of the request after parsing and defaults (R-IDEM-07). */
  body_hash: string;
  /** Every Idempotency-Key that led here (R-IDEM-06). */
  idempotency_keys: string[];
  /** What the first caller was told: that it runs, or how it ended. Absent while nobody was told. */
  first_answer?: "running" | "end";
  status: StatusWord;
  /** Percent, 0 to 100, never falling (R-STAT-02). */
  progress: number;
  message?: string;
  error: string | null;
  /** The task was lost with its service (R-LOST-01). */
  retryable?: boolean;
  output: DataReference | null;
  /** What /control/data sends, where the service holds it. */
  payload?: Payload;
  /** The folder of this execution, once it has one. */
  folder?: string;
  /** Every change of status or progress, oldest first: at most one per percent and one end. */
  changes: Change[];
  /** Epoch ms. */
  created_at: number;
  /** Epoch ms; absent while it runs. */
  ended_at?: number;
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
    | "ended_at"
    | "first_answer"
  >
>;

/** A new execution, running from now on. */
export function createExecution(
  fields: Pick<
    Execution,
    "handle" | "workflow_id" | "task_id" | "method" | "style" | "body_hash" | "created_at"
  >,
  idempotency_key: string | undefined,
): Execution {
  return {
    ...fields,
    idempotency_keys: idempotency_key === undefined ? [] : [idempotency_key],
    status: "running",
    progress: 0,
    error: null,
    output: null,
    changes: [{ status: "running", progress: 0, error: null }],
  };
}

/**
 * The execution after a change, or undefined where the change comes too late: what has ended never
 * changes (R-STAT-05), progress never falls (R-STAT-02).
 */
export function applyChange(execution: Execution, change: ExecutionChange): Execution | undefined {
  if (execution.status !== "running") return undefined;
  const next = { ...execution, ...change };
  next.progress = next.status === "complete" ? 100 : Math.max(execution.progress, next.progress);
  if (next.status !== execution.status || next.progress !== execution.progress) {
    next.changes = [...execution.changes, toStatusBody(next)];
  }
  return next;
}

/** The answer to status (R-STAT-01). */
export function toStatusBody(execution: Execution): StatusResponse {
  const { status, progress, error, message, retryable } = execution;
  return {
    status,
    progress,
    error,
    ...(message !== undefined && { message }),
    ...(retryable && { retryable }),
  };
}

/** The answer to execute (R-EXEC-05 to 10). */
export function toExecuteAnswer(execution: Execution): ExecuteResponse {
  switch (execution.status) {
    case "running":
      return { status: "running", task_id: execution.handle };
    case "complete":
      return { status: "complete", output: execution.output as never };
    case "failed":
      return { status: "failed", error: execution.error ?? "The task failed" };
  }
}
