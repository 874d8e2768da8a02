import type { DataReference } from "@aieffect/control-interface";
import type { FailureClass } from "./failure.ts";
import type { WorkflowSpec } from "./spec.ts";

/**
 * Everything that can happen to a workflow. `at` is in ms since 1970, `task` is the index of the
 * node in the spec. A secret is never part of an event.
 */
export type WorkflowEvent =
  /** The submission was checked and taken. */
  | { type: "accepted"; at: number; workflow_id: string; spec: WorkflowSpec }
  /** An attempt begins: recorded before the call goes out. */
  | {
      type: "started";
      at: number;
      task: number;
      attempt: number;
      idempotency_key: string;
      inputs: readonly DataReference[];
      deadline_at: number;
    }
  /** The service answered `running` with a handle. */
  | { type: "serviceAccepted"; at: number; task: number; handle: string }
  | { type: "progressed"; at: number; task: number; progress: number; message: string | null }
  /** The task is done; a null output contributes nothing to its successors (R-READ-08). */
  | { type: "completed"; at: number; task: number; output: DataReference | null }
  /** An attempt did not complete; without `retry_at` it was the last one and the task is failed. */
  | {
      type: "attemptFailed";
      at: number;
      task: number;
      error: string;
      failure: FailureClass;
      answered: boolean;
      retry_at: number | null;
    }
  /** The workflow is over; tasks that still ran fail with its error. */
  | { type: "ended"; at: number; status: "completed"; error: null }
  | { type: "ended"; at: number; status: "failed"; error: string };

/** The events of a task that a conversation with a service leads to. */
export type TaskEvent = Extract<
  WorkflowEvent,
  { type: "serviceAccepted" | "progressed" | "completed" | "attemptFailed" }
>;
