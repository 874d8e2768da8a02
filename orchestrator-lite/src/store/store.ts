import type { WorkflowEvent } from "../core/events.ts";
import type { WorkflowState } from "../core/state.ts";

/** Events of one workflow that belong together. */
export interface Append {
  workflow_id: string;
  /** Number of events that must be there already; 0 for a new workflow. */
  expected_version: number;
  events: readonly WorkflowEvent[];
  /** What the events lead to: a store may keep it beside the events, or instead of them. */
  state: WorkflowState;
}

/** Where workflows are kept. What was appended is there for good once the promise is fulfilled. */
export interface WorkflowStore {
  /** @throws Error when the version is not the expected one; nothing is changed then */
  append(append: Append): Promise<void>;
  /** The newest state, or undefined for a workflow that is not there. */
  load(workflow_id: string): Promise<WorkflowState | undefined>;
  /** The ids of all workflows, oldest first. */
  list(): Promise<string[]>;
  /** Forgets a workflow; one that is not there is no error. */
  remove(workflow_id: string): Promise<void>;
}
