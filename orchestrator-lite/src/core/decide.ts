import type { DataReference } from "@aieffect/control-interface";
import type { NodeSpec } from "./spec.ts";
import { hasEnded, type TaskState, taskAt, type WorkflowState } from "./state.ts";

/** What has to happen next. */
export type Command =
  /** Send a task to its service, for the first time or again. */
  | {
      type: "start";
      task: number;
      attempt: number;
      idempotency_key: string;
      inputs: readonly DataReference[];
    }
  /** A task is over its time limit. */
  | { type: "expire"; task: number }
  | { type: "end"; status: "completed"; error: null }
  | { type: "end"; status: "failed"; error: string };

/** Everything that is due in a state at a time. Pure: the same state and time give the same commands. */
export function decide(state: WorkflowState, now: number): Command[] {
  if (hasEnded(state)) return [];
  if (state.deadline_at !== null && state.deadline_at <= now) {
    return [{ type: "end", status: "failed", error: `Workflow timed out after ${state.spec.timeout_s} s` }];
  }
  const commands: Command[] = [];
  let running = false;
  for (const { active, wake } of state.blocks) {
    running ||= active.length > 0;
    if (wake === null || wake > now) continue;
    for (const index of active) {
      const task = taskAt(state, index) as TaskState;
      if ((task.deadline_at ?? Number.POSITIVE_INFINITY) <= now)
        commands.push({ type: "expire", task: index });
      else if (task.retry_at !== null && task.retry_at <= now) commands.push(start(state, index));
    }
  }
  // After a failure no new task starts; the running ones finish first.
  if (state.failed_task === null) {
    for (const index of state.ready) commands.push(start(state, index));
  }
  if (commands.length > 0 || running) return commands;
  if (state.failed_task === null) return [{ type: "end", status: "completed", error: null }];
  const { task_id, error } = taskAt(state, state.failed_task) as TaskState;
  return [{ type: "end", status: "failed", error: `Task ${task_id} failed: ${error}` }];
}

/** When {@link decide} has to be asked again although nothing happened; null for never. */
export function nextWake(state: WorkflowState): number | null {
  if (hasEnded(state)) return null;
  let wake = state.deadline_at ?? Number.POSITIVE_INFINITY;
  for (const block of state.blocks) wake = Math.min(wake, block.wake ?? wake);
  return Number.isFinite(wake) ? wake : null;
}

function start(state: WorkflowState, index: number): Command {
  const task = taskAt(state, index) as TaskState;
  const attempt = task.attempt + 1;
  // The same request again where nobody knows whether the last one arrived (R-IDEM-01).
  const repeats = task.idempotency_key !== null && !task.answered;
  const idempotency_key = repeats
    ? (task.idempotency_key as string)
    : `${state.workflow_id}:${task.task_id}:${attempt}`;
  const inputs = task.attempt > 0 ? task.inputs : inputsOf(state, state.spec.nodes[index] as NodeSpec);
  return { type: "start", task: index, attempt, idempotency_key, inputs };
}

/** Outputs of the predecessors in blueprint order, or the workflow's inputs for a start node. */
function inputsOf(state: WorkflowState, node: NodeSpec): readonly DataReference[] {
  if (node.predecessors.length === 0) return state.spec.inputs;
  return node.predecessors.flatMap((index) => taskAt(state, index)?.output ?? []);
}
