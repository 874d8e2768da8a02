import type { DataReference } from "@aieffect/control-interface";
import type { FailureClass } from "../core/failure.ts";
import { type Status, taskAt, type WorkflowState } from "../core/state.ts";

/** A workflow as a reader sees it. Times are ISO 8601 in UTC. */
export interface WorkflowView {
  readonly workflow_id: string;
  readonly status: Status;
  readonly created_at: string;
  readonly updated_at: string;
  readonly error: string | null;
}

/** A task as a reader sees it. */
export interface TaskView {
  readonly task_id: string;
  /** `container:operation`. */
  readonly node_key: string;
  readonly status: Status;
  readonly created_at: string;
  readonly updated_at: string;
  /** Why it is failed; null while another attempt is to come. */
  readonly error: string | null;
  readonly input_refs: readonly DataReference[];
  readonly output_refs: readonly DataReference[];
  /** Percent, where the service told. */
  readonly progress?: number;
  /** What is going on, where there is something to say, e.g. why it is tried again. */
  readonly message?: string;
  /** What kind of failure it was; for programs, not part of the HTTP answers. */
  readonly failure?: FailureClass;
}

/** One change of a workflow or of a task of it. */
export type Change =
  | { readonly kind: "workflow"; readonly workflow: WorkflowView }
  | { readonly kind: "task"; readonly task: TaskView };

/** The view of a workflow. */
export function toWorkflowView(state: WorkflowState): WorkflowView {
  return {
    workflow_id: state.workflow_id,
    status: state.status,
    created_at: toTime(state.created_at),
    updated_at: toTime(state.updated_at),
    error: state.error,
  };
}

/** The view of the task of a node. */
export function toTaskView(state: WorkflowState, index: number): TaskView {
  const task = taskAt(state, index);
  const node = state.spec.nodes[index];
  if (task === undefined || node === undefined) throw new RangeError(`Expected a task index, found ${index}`);
  const failed = task.status === "failed";
  return {
    task_id: task.task_id,
    node_key: node.key,
    status: task.status,
    created_at: toTime(task.created_at),
    updated_at: toTime(task.updated_at),
    error: failed ? task.error : null,
    input_refs: task.inputs,
    output_refs: task.output === null ? [] : [task.output],
    ...(task.progress !== null && { progress: task.progress }),
    ...(task.message !== null && task.status === "running" && { message: task.message }),
    ...(task.retry_at !== null && {
      message: `Attempt ${task.attempt} of ${node.retry.attempts} failed, the next is due ${toTime(task.retry_at)}: ${task.error}`,
    }),
    ...(failed && task.failure !== null && { failure: task.failure }),
  };
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
