import { applyTo, type Draft, toDraft } from "../core/apply-event.ts";
import { type Command, decide } from "../core/decide.ts";
import type { WorkflowEvent } from "../core/events.ts";
import { hasEnded, taskAt, type WorkflowState } from "../core/state.ts";
import type { WorkflowStore } from "../store/store.ts";
import type { Clock } from "./clock.ts";

/** Something that happened, not yet recorded. */
export interface Message {
  workflow_id: string;
  /** Nothing happened, but something may be due. */
  event?: WorkflowEvent;
  /** The attempt it is about; a message about an older one is dropped. */
  attempt?: number;
  /** Called when the message is recorded or dropped. */
  done?: (error?: Error) => void;
}

/** What one turn recorded for one workflow. */
export interface Turn {
  before: WorkflowState | undefined;
  state: WorkflowState;
  /** In the order in which they were recorded. */
  events: readonly WorkflowEvent[];
}

/** What the loop works on. */
export interface EventLoopOptions {
  store: WorkflowStore;
  clock: Clock;
  /** Acts on what was recorded; nothing is acted on before. Must not throw. */
  onRecorded: (turn: Turn) => void;
  /** The store did not take a workflow's events: nothing more can be done for it. */
  onLost: (workflow_id: string, last: WorkflowState | undefined, error: Error) => void;
}

/** The one place where workflows change. */
export interface EventLoop {
  /** Takes a message; it is worked on soon, together with whatever else came in. */
  post(message: Message): void;
  /** The recorded state of an open workflow. */
  state(workflow_id: string): WorkflowState | undefined;
}

/**
 * A single awaiter: takes everything that came in, lets the core decide, records the events of all
 * workflows together, and only then acts. What comes in meanwhile is the next turn.
 */
export function createEventLoop({ store, clock, onRecorded, onLost }: EventLoopOptions): EventLoop {
  const open = new Map<string, WorkflowState>();
  let queue: Message[] = [];
  let turning = false;

  async function run(): Promise<void> {
    while (queue.length > 0) {
      const messages = queue;
      queue = [];
      await turn(messages);
    }
    turning = false;
  }

  async function turn(messages: readonly Message[]): Promise<void> {
    const now = clock.now();
    const [only] = messages;
    if (only !== undefined && messages.length === 1) return settle(only.workflow_id, messages, now);
    await Promise.all(
      [...groupByWorkflow(messages)].map(([workflow_id, group]) => settle(workflow_id, group, now)),
    );
  }

  async function settle(workflow_id: string, messages: readonly Message[], now: number): Promise<void> {
    try {
      await record(workflow_id, messages, now);
      for (const { done } of messages) done?.();
    } catch (error) {
      const last = open.get(workflow_id);
      open.delete(workflow_id);
      onLost(workflow_id, last, error as Error);
      for (const { done } of messages) done?.(error as Error);
    }
  }

  async function record(workflow_id: string, messages: readonly Message[], now: number): Promise<void> {
    const before = open.get(workflow_id);
    const planned = plan(before, messages, now);
    if (planned === undefined) return;
    const { state, events } = planned;
    await store.append({ workflow_id, expected_version: before?.version ?? 0, events, state });
    if (hasEnded(state)) open.delete(workflow_id);
    else open.set(workflow_id, state);
    onRecorded({ before, state, events });
  }

  return {
    post(message) {
      queue.push(message);
      if (turning) return;
      turning = true;
      queueMicrotask(() => void run());
    },
    state: (workflow_id) => open.get(workflow_id),
  };
}

/** The events of a turn: what happened, as far as it still matters, and what follows from it. Pure. */
export function plan(
  before: WorkflowState | undefined,
  messages: readonly Message[],
  now: number,
): { state: WorkflowState; events: WorkflowEvent[] } | undefined {
  const events = currentEvents(before, messages);
  if (before === undefined && events.length === 0) return undefined;
  let draft: Draft | undefined = before && toDraft(before);
  for (const event of events) draft = applyTo(draft, event);
  const { state } = draft as Draft;
  for (;;) {
    const commands = decide(state, now);
    if (commands.length === 0) break;
    for (const command of commands) {
      const event = toEvent(command, state, now);
      applyTo(draft, event);
      events.push(event);
    }
  }
  return events.length === 0 ? undefined : { state, events };
}

/** Drops what came too late: about a workflow that ended, a task that is over, an attempt that was replaced. */
function currentEvents(before: WorkflowState | undefined, messages: readonly Message[]): WorkflowEvent[] {
  const over = new Set<number>();
  const events: WorkflowEvent[] = [];
  for (const { event, attempt } of messages) {
    if (event === undefined || events.at(-1)?.type === "ended") continue;
    if (event.type === "accepted") {
      if (before === undefined && events.length === 0) events.push(event);
      continue;
    }
    if (before === undefined) continue;
    if (event.type !== "ended") {
      const task = taskAt(before, event.task);
      const current = task?.status === "running" && task.retry_at === null && task.attempt === attempt;
      if (!current || over.has(event.task)) continue;
      if (event.type === "completed" || event.type === "attemptFailed") over.add(event.task);
    }
    events.push(event);
  }
  return events;
}

function toEvent(command: Command, state: WorkflowState, at: number): WorkflowEvent {
  if (command.type === "end") {
    return command.status === "completed"
      ? { type: "ended", at, status: "completed", error: null }
      : { type: "ended", at, status: "failed", error: command.error };
  }
  const { task } = command;
  const timeout_s = state.spec.nodes[task]?.timeout_s ?? 0;
  if (command.type === "expire") {
    const error = `Timed out after ${timeout_s} s`;
    return { type: "attemptFailed", at, task, error, failure: "limit", answered: false, retry_at: null };
  }
  const { attempt, idempotency_key, inputs } = command;
  // The limit is over all attempts, so that a retry does not extend it.
  const deadline_at = taskAt(state, task)?.deadline_at ?? at + timeout_s * 1000;
  return { type: "started", at, task, attempt, idempotency_key, inputs, deadline_at };
}

function groupByWorkflow(messages: readonly Message[]): Map<string, Message[]> {
  const groups = new Map<string, Message[]>();
  for (const message of messages) {
    const group = groups.get(message.workflow_id);
    if (group === undefined) groups.set(message.workflow_id, [message]);
    else group.push(message);
  }
  return groups;
}
