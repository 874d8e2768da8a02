import type { DataReference } from "@aieffect/control-interface";
import type { FailureClass } from "./failure.ts";
import type { WorkflowSpec } from "./spec.ts";

/** The words for a task and a workflow; a service says `complete`, these say `completed`. */
export type Status = "pending" | "running" | "completed" | "failed";

/** What is known of one node's task. Times are in ms since 1970. */
export interface TaskState {
  task_id: string;
  status: Status;
  created_at: number;
  updated_at: number;
  /** Number of the newest attempt; 0 before the first. */
  attempt: number;
  idempotency_key: string | null;
  inputs: readonly DataReference[];
  output: DataReference | null;
  /** Why it is failed, or why its newest attempt was. */
  error: string | null;
  failure: FailureClass | null;
  /** The newest attempt got an answer, so that the next one is a new request. */
  answered: boolean;
  /** The service's name for the running attempt. */
  handle: string | null;
  progress: number | null;
  /** What the operation last said it was doing. */
  message: string | null;
  /** Predecessors that are not completed yet. */
  missing: number;
  /** When the next attempt is due; null while one runs. */
  retry_at: number | null;
  /** When the task is over its limit; null before it starts. */
  deadline_at: number | null;
}

/** A workflow as its events left it: plain data that never changes in place. */
export interface WorkflowState {
  workflow_id: string;
  /** Number of events so far. */
  version: number;
  spec: WorkflowSpec;
  status: Status;
  created_at: number;
  updated_at: number;
  /** When the workflow is over its limit; null for none. */
  deadline_at: number | null;
  error: string | null;
  /** The task whose failure came first. */
  failed_task: number | null;
  /** The tasks by index of the node; {@link taskAt} finds one. */
  blocks: readonly TaskBlock[];
  /** Pending tasks whose predecessors are all completed. */
  ready: readonly number[];
}

/**
 * Neighbouring tasks, about as many as there are blocks: whoever changes a task copies its block and
 * the list of blocks, and never all tasks.
 */
export interface TaskBlock {
  tasks: readonly TaskState[];
  /** Indices of the nodes whose tasks are running, also between two attempts. */
  active: readonly number[];
  /** When one of these is over its limit or due for its next attempt; null for never. */
  wake: number | null;
}

/** Tasks in all blocks but the last, of so many tasks. */
export function blockSizeOf(tasks: number): number {
  return Math.max(16, Math.ceil(Math.sqrt(tasks)));
}

/** Where a task is; a place outside for an index that is none. */
export function placeOf(state: WorkflowState, index: number): { block: number; at: number } {
  const size = state.blocks[0]?.tasks.length ?? 1;
  const block = Math.floor(index / size);
  return { block, at: index - block * size };
}

/** The task of a node; undefined where there is none. */
export function taskAt(state: WorkflowState, index: number): TaskState | undefined {
  const { block, at } = placeOf(state, index);
  return state.blocks[block]?.tasks[at];
}

/** The nodes whose tasks are running, also between two attempts. */
export function activeIn(state: WorkflowState): number[] {
  return state.blocks.flatMap(({ active }) => active);
}

/** Whether nothing can happen to the workflow any more. */
export function hasEnded(state: Pick<WorkflowState, "status">): boolean {
  return state.status === "completed" || state.status === "failed";
}
