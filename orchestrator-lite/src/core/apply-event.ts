import type { WorkflowEvent } from "./events.ts";
import {
  blockSizeOf,
  hasEnded,
  placeOf,
  type Status,
  type TaskBlock,
  type TaskState,
  taskAt,
  type WorkflowState,
} from "./state.ts";
import { toTaskId } from "./task-id.ts";

/** The state after an event. Pure; @throws Error for an event that cannot follow, which is a fault of the caller. */
export function applyEvent(state: WorkflowState | undefined, event: WorkflowEvent): WorkflowState {
  return applyTo(state && toDraft(state), event).state;
}

/**
 * A state that {@link applyTo} may change, because what is changed was copied before. Several events
 * cost one copy this way; whoever is done takes its state, and changes it no more.
 */
export interface Draft {
  state: OwnState;
  /** The blocks that are copies of its own. */
  owned: Map<number, OwnBlock>;
}

interface OwnState extends WorkflowState {
  blocks: TaskBlock[];
  ready: number[];
}

interface OwnBlock extends TaskBlock {
  tasks: TaskState[];
  active: number[];
}

/** Starts a draft; the state stays as it is. */
export function toDraft(state: WorkflowState): Draft {
  const own = { ...state, blocks: [...state.blocks], ready: [...state.ready] };
  return { state: own, owned: new Map() };
}

/** Applies an event to a draft, and gives the draft; `accepted` begins one. */
export function applyTo(draft: Draft | undefined, event: WorkflowEvent): Draft {
  if (event.type === "accepted") {
    if (draft !== undefined)
      throw new Error("Expected accepted to be the first event, found it after others");
    return accept(event);
  }
  if (draft === undefined) throw new Error(`Expected accepted to be the first event, found ${event.type}`);
  const { state } = draft;
  if (hasEnded(state)) {
    throw new Error(`Expected no event after the end of ${state.workflow_id}, found ${event.type}`);
  }
  state.version++;
  state.updated_at = event.at;
  if (event.type === "ended") end(draft, event);
  else changeTask(draft, event);
  return draft;
}

function accept({ at, workflow_id, spec }: Extract<WorkflowEvent, { type: "accepted" }>): Draft {
  const tasks = spec.nodes.map(
    ({ key, predecessors }): TaskState => ({
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
    }),
  );
  const size = blockSizeOf(tasks.length);
  const blocks = Array.from({ length: Math.ceil(tasks.length / size) }, (_, block): OwnBlock => {
    return { tasks: tasks.slice(block * size, (block + 1) * size), active: [], wake: null };
  });
  const state: OwnState = {
    workflow_id,
    version: 1,
    spec,
    status: "running",
    created_at: at,
    updated_at: at,
    deadline_at: spec.timeout_s === null ? null : at + spec.timeout_s * 1000,
    error: null,
    failed_task: null,
    blocks,
    ready: spec.nodes.flatMap(({ predecessors }, index) => (predecessors.length === 0 ? [index] : [])),
  };
  return { state, owned: new Map(blocks.entries()) };
}

type TaskChange = Exclude<WorkflowEvent, { type: "accepted" | "ended" }>;

function changeTask(draft: Draft, event: TaskChange): void {
  const { state } = draft;
  const { task, block } = ownTask(draft, event.task);
  expectStatus(state, task, event);
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
      if (drop(state.ready, event.task)) block.active.push(event.task);
      break;
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
      drop(block.active, event.task);
      release(draft, event.task);
      break;
    case "attemptFailed":
      task.error = event.error;
      task.failure = event.failure;
      task.answered = event.answered;
      task.retry_at = event.retry_at;
      task.handle = null;
      if (event.retry_at !== null) break;
      task.status = "failed";
      drop(block.active, event.task);
      state.failed_task ??= event.task;
  }
  block.wake = wakeOf(state, block);
}

/** When the first of a block's tasks is due. */
function wakeOf(state: WorkflowState, { active }: OwnBlock): number | null {
  let wake = Number.POSITIVE_INFINITY;
  for (const index of active) {
    const { deadline_at, retry_at } = taskAt(state, index) as TaskState;
    wake = Math.min(wake, deadline_at ?? wake, retry_at ?? wake);
  }
  return Number.isFinite(wake) ? wake : null;
}

/** Tells the successors of a completed task; the last one missing makes them ready. */
function release(draft: Draft, index: number): void {
  for (const successor of draft.state.spec.nodes[index]?.successors ?? []) {
    const { task } = ownTask(draft, successor);
    task.missing--;
    if (task.missing === 0) draft.state.ready.push(successor);
  }
}

function end(draft: Draft, event: Extract<WorkflowEvent, { type: "ended" }>): void {
  const { state } = draft;
  for (const [number, { active }] of state.blocks.entries()) {
    if (active.length === 0) continue;
    for (const index of active) {
      const { task } = ownTask(draft, index);
      task.status = "failed";
      task.error = event.error;
      task.updated_at = event.at;
      task.retry_at = null;
    }
    const block = ownBlock(draft, number);
    block.active = [];
    block.wake = null;
  }
  state.ready = [];
  state.status = event.status;
  state.error = event.error;
}

/** A copy of the task in the draft, to be changed: the old one may be part of an older state. */
function ownTask(draft: Draft, index: number): { task: TaskState; block: OwnBlock } {
  const { state } = draft;
  const place = placeOf(state, index);
  const found = state.blocks[place.block]?.tasks[place.at];
  if (found === undefined) throw new Error(`Expected a task of ${state.workflow_id}, found index ${index}`);
  const block = ownBlock(draft, place.block);
  const task = { ...found };
  block.tasks[place.at] = task;
  return { task, block };
}

function ownBlock({ state, owned }: Draft, number: number): OwnBlock {
  const known = owned.get(number);
  if (known !== undefined) return known;
  const { tasks, active, wake } = state.blocks[number] as TaskBlock;
  const own = { tasks: [...tasks], active: [...active], wake };
  state.blocks[number] = own;
  owned.set(number, own);
  return own;
}

/** Takes a value out of a list; whether it was there. */
function drop(list: number[], value: number): boolean {
  const at = list.indexOf(value);
  if (at !== -1) list.splice(at, 1);
  return at !== -1;
}

function expectStatus({ workflow_id }: WorkflowState, task: TaskState, { type }: TaskChange): void {
  const between = task.status === "running" && task.retry_at !== null;
  const startable = between || (task.status === "pending" && task.missing === 0);
  if (type === "started" ? startable : task.status === "running" && !between) return;
  const expected = type === "started" ? ("ready" as const) : ("running" satisfies Status);
  const found = between ? "between two attempts" : `${task.status} with ${task.missing} predecessors to go`;
  throw new Error(`Expected ${task.task_id} of ${workflow_id} to be ${expected} for ${type}, found ${found}`);
}
