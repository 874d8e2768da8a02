import type { WorkflowEvent } from "./events.ts";
import { hasEnded, type Status, type TaskState, type WorkflowState } from "./state.ts";
import { toTaskId } from "./task-id.ts";

/** The state after an event. Pure; @throws Error for an event that cannot follow, which is a fault of the caller. */
export function applyEvent(state: WorkflowState | undefined, event: WorkflowEvent): WorkflowState {
  return applyTo(state && toDraft(state), event);
}

/**
 * A copy of a state that {@link applyTo} may change. Several events cost one copy this way; whoever
 * is done hands it on as the state that it is, and changes it no more.
 */
export interface Draft extends WorkflowState {
  tasks: TaskState[];
  ready: number[];
  active: number[];
}

/** Starts a draft; the state stays as it is. */
export function toDraft(state: WorkflowState): Draft {
  const { workflow_id, version, spec, status, created_at, updated_at, deadline_at, error, failed_task } =
    state;
  return {
    workflow_id,
    version,
    spec,
    status,
    created_at,
    updated_at,
    deadline_at,
    error,
    failed_task,
    tasks: [...state.tasks],
    ready: [...state.ready],
    active: [...state.active],
  };
}

/** Applies an event to a draft, and gives the draft; `accepted` begins one. */
export function applyTo(draft: Draft | undefined, event: WorkflowEvent): Draft {
  if (event.type === "accepted") {
    if (draft !== undefined)
      throw new Error("Expected accepted to be the first event, found it after others");
    return accept(event);
  }
  if (draft === undefined) throw new Error(`Expected accepted to be the first event, found ${event.type}`);
  if (hasEnded(draft)) {
    throw new Error(`Expected no event after the end of ${draft.workflow_id}, found ${event.type}`);
  }
  draft.version++;
  draft.updated_at = event.at;
  if (event.type === "ended") end(draft, event);
  else changeTask(draft, event);
  return draft;
}

function accept({ at, workflow_id, spec }: Extract<WorkflowEvent, { type: "accepted" }>): Draft {
  return {
    workflow_id,
    version: 1,
    spec,
    status: "running",
    created_at: at,
    updated_at: at,
    deadline_at: spec.timeout_s === null ? null : at + spec.timeout_s * 1000,
    error: null,
    failed_task: null,
    tasks: spec.nodes.map(({ key, predecessors }) => ({
      task_id: toTaskId(workflow_id, key),
      status: "pending",
      created_at: at,
      updated_at: at,
      attempt: 0,
      idempotency_key: null,
      inputs: [],
      output: null,
      error: null,
      failure: null,
      answered: false,
      handle: null,
      progress: null,
      message: null,
      missing: predecessors.length,
      retry_at: null,
      deadline_at: null,
    })),
    ready: spec.nodes.flatMap(({ predecessors }, index) => (predecessors.length === 0 ? [index] : [])),
    active: [],
  };
}

type TaskChange = Exclude<WorkflowEvent, { type: "accepted" | "ended" }>;

function changeTask(draft: Draft, event: TaskChange): void {
  const task = ownTask(draft, event.task);
  expectStatus(draft, task, event);
  task.updated_at = event.at;
  switch (event.type) {
    case "started":
      task.status = "running";
      task.attempt = event.attempt;
      task.idempotency_key = event.idempotency_key;
      task.inputs = event.inputs;
      task.deadline_at = event.deadline_at;
      task.error = null;
      task.failure = null;
      task.answered = false;
      task.retry_at = null;
      if (drop(draft.ready, event.task)) draft.active.push(event.task);
      return;
    case "serviceAccepted":
      task.handle = event.handle;
      return;
    case "progressed":
      task.progress = event.progress;
      task.message = event.message;
      return;
    case "completed":
      task.status = "completed";
      task.output = event.output;
      if (task.progress !== null) task.progress = 100;
      drop(draft.active, event.task);
      release(draft, event.task);
      return;
    case "attemptFailed":
      task.error = event.error;
      task.failure = event.failure;
      task.answered = event.answered;
      task.retry_at = event.retry_at;
      task.handle = null;
      if (event.retry_at !== null) return;
      task.status = "failed";
      drop(draft.active, event.task);
      draft.failed_task ??= event.task;
  }
}

/** Tells the successors of a completed task; the last one missing makes them ready. */
function release(draft: Draft, index: number): void {
  for (const successor of draft.spec.nodes[index]?.successors ?? []) {
    const task = ownTask(draft, successor);
    task.missing--;
    if (task.missing === 0) draft.ready.push(successor);
  }
}

function end(draft: Draft, event: Extract<WorkflowEvent, { type: "ended" }>): void {
  for (const index of draft.active) {
    const task = ownTask(draft, index);
    task.status = "failed";
    task.error = event.error;
    task.updated_at = event.at;
    task.retry_at = null;
  }
  draft.active = [];
  draft.ready = [];
  draft.status = event.status;
  draft.error = event.error;
}

/** A copy of the task in the draft, to be changed: the old one may be part of an older state. */
function ownTask(draft: Draft, index: number): TaskState {
  const task = draft.tasks[index];
  if (task === undefined) throw new Error(`Expected a task of ${draft.workflow_id}, found index ${index}`);
  const own = { ...task };
  draft.tasks[index] = own;
  return own;
}

/** Takes a value out of a list; whether it was there. */
function drop(list: number[], value: number): boolean {
  const at = list.indexOf(value);
  if (at !== -1) list.splice(at, 1);
  return at !== -1;
}

function expectStatus(draft: Draft, task: TaskState, { type }: TaskChange): void {
  const between = task.status === "running" && task.retry_at !== null;
  const startable = between || (task.status === "pending" && task.missing === 0);
  if (type === "started" ? startable : task.status === "running" && !between) return;
  const expected = type === "started" ? ("ready" as const) : ("running" satisfies Status);
  const found = between ? "between two attempts" : `${task.status} with ${task.missing} predecessors to go`;
  throw new Error(
    `Expected ${task.task_id} of ${draft.workflow_id} to be ${expected} for ${type}, found ${found}`,
  );
}
