import { setTimeout as sleep } from "node:timers/promises";
import { ControlError } from "@aieffect/control-interface";
import { nextWake } from "../core/decide.ts";
import type { WorkflowEvent } from "../core/events.ts";
import type { WorkflowSpec } from "../core/spec.ts";
import { activeIn, hasEnded, type WorkflowState } from "../core/state.ts";
import type { Logger } from "../logging/logger.ts";
import type { WorkflowStore } from "../store/store.ts";
import { toTaskView, toWorkflowView } from "../views/views.ts";
import type { ClientPool } from "./client-pool.ts";
import type { Clock } from "./clock.ts";
import { createEventLoop, type Turn } from "./event-loop.ts";
import { aboutOf, logEnds } from "./log-ends.ts";
import { createOpenWorkflow, type OpenWorkflow } from "./open-workflow.ts";
import { createSecretGuard } from "./secret-guard.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** What a runner works with. */
export interface RunnerOptions {
  store: WorkflowStore;
  pool: ClientPool;
  clock: Clock;
  random: () => number;
  poll_interval_ms: number;
  subscriptions: Subscriptions;
  logger: Logger | undefined;
  /** A workflow has ended and was recorded. */
  onEnded: (workflow_id: string) => void;
}

/** Runs workflows. */
export interface Runner {
  /** Resolves when the workflow is recorded; its first calls go out in the same turn. */
  start(workflow_id: string, spec: WorkflowSpec, services_api_key: string | undefined): Promise<void>;
  /** The recorded state of a workflow that has not ended. */
  state(workflow_id: string): WorkflowState | undefined;
  /** Ends a workflow as failed with `Cancelled`; resolves when that is recorded. One that has ended stays as it is. */
  cancel(workflow_id: string): Promise<void>;
  /** Aborts all calls; nothing is recorded any more. Cancels that are on their way get 1 s. */
  close(): Promise<void>;
}

/** How long a close waits for services to be told that their work is not wanted any more. */
const cancelGrace_ms = 1000;

/** The driver around the pure core: records what happened, then does what was decided. */
export function createRunner(options: RunnerOptions): Runner {
  const { store, pool, clock, subscriptions, logger } = options;
  const open = new Map<string, OpenWorkflow>();
  const wakes = new Map<string, { at: number; stop: () => void }>();
  const ending = new Set<Promise<void>>();
  let closed = false;

  const loop = createEventLoop({ store, clock, onRecorded, onLost });

  function onRecorded({ before, state, events }: Turn): void {
    if (closed) return;
    const { workflow_id } = state;
    const calls = open.get(workflow_id);
    for (const event of events) act(calls, state, event);
    const ended = hasEnded(state);
    if (ended) forget(workflow_id, state);
    else armWake(workflow_id, state);
    logEnds(logger, state, events);
    if (subscriptions.has(workflow_id)) tellTasks(before, state, events);
    if (ended) {
      subscriptions.tellEnd(workflow_id, () => toWorkflowView(state));
      options.onEnded(workflow_id);
    }
  }

  function act(calls: OpenWorkflow | undefined, state: WorkflowState, event: WorkflowEvent): void {
    if (event.type === "started") calls?.start(state, event.task);
    if (event.type === "attemptFailed" && event.failure === "limit") calls?.stop(state, event.task, true);
  }

  /** Ends the calls of a workflow and, with its last reference, erases the services key. */
  function forget(workflow_id: string, state: WorkflowState | undefined): void {
    wakes.get(workflow_id)?.stop();
    wakes.delete(workflow_id);
    const calls = open.get(workflow_id);
    open.delete(workflow_id);
    if (calls === undefined) return;
    const end = calls.end(state, true).finally(() => ending.delete(end));
    ending.add(end);
  }

  function armWake(workflow_id: string, state: WorkflowState): void {
    const at = nextWake(state);
    const armed = wakes.get(workflow_id);
    // A timer that is early only looks again; moving it at every turn would cost more.
    if (at === null || (armed !== undefined && armed.at <= at && armed.at > clock.now())) return;
    armed?.stop();
    const stop = clock.setTimer(at - clock.now(), () => {
      wakes.delete(workflow_id);
      const current = loop.state(workflow_id);
      if (current === undefined) return;
      // Early, because what it was armed for is done: look again. What is due is recorded, and that arms anew.
      if ((nextWake(current) ?? at) > clock.now()) armWake(workflow_id, current);
      else loop.post({ workflow_id });
    });
    wakes.set(workflow_id, { at, stop });
  }

  function tellTasks(
    before: WorkflowState | undefined,
    state: WorkflowState,
    events: readonly WorkflowEvent[],
  ): void {
    const { workflow_id } = state;
    const changed = new Set(events.flatMap((event) => ("task" in event ? [event.task] : [])));
    // What still ran when the workflow ended changed with it.
    if (hasEnded(state) && before !== undefined) for (const task of activeIn(before)) changed.add(task);
    for (const task of changed)
      subscriptions.tell(workflow_id, { kind: "task", task: toTaskView(state, task) });
  }

  function onLost(workflow_id: string, last: WorkflowState | undefined, error: Error): void {
    const about = last === undefined ? { workflow_id } : aboutOf(last);
    logger?.error({ ...about, err: error }, "the store did not take a workflow's events; it is given up");
    forget(workflow_id, undefined);
    if (last !== undefined) {
      const lost = { status: "failed", error: "The orchestrator could not record the workflow" } as const;
      subscriptions.tellEnd(workflow_id, () => ({ ...toWorkflowView(last), ...lost }));
    }
  }

  function post(workflow_id: string, event: WorkflowEvent, attempt?: number): void {
    if (!closed) loop.post({ workflow_id, event, ...(attempt !== undefined && { attempt }) });
  }

  function record(workflow_id: string, event: WorkflowEvent): Promise<void> {
    if (closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      loop.post({ workflow_id, event, done: (error) => (error === undefined ? resolve() : reject(error)) });
    });
  }

  return {
    async start(workflow_id, spec, services_api_key) {
      if (closed) throw closedError();
      const calls = createOpenWorkflow({
        workflow_id,
        lease: pool.lease(services_api_key),
        guard: createSecretGuard(services_api_key),
        clock,
        random: options.random,
        poll_interval_ms: options.poll_interval_ms,
        logger,
        post: (event, attempt) => post(workflow_id, event, attempt),
      });
      open.set(workflow_id, calls);
      return record(workflow_id, { type: "accepted", at: clock.now(), workflow_id, spec });
    },
    state: (workflow_id) => loop.state(workflow_id),
    cancel: (workflow_id) =>
      record(workflow_id, { type: "ended", at: clock.now(), status: "failed", error: "Cancelled" }),
    async close() {
      closed = true;
      const done = new AbortController();
      for (const { stop } of wakes.values()) stop();
      for (const calls of open.values()) ending.add(calls.end(undefined, false));
      open.clear();
      await Promise.race([Promise.all(ending), sleep(cancelGrace_ms, undefined, { signal: done.signal })]);
      done.abort();
    },
  };
}

function closedError(): ControlError {
  return new ControlError("stopping", "The orchestrator is closed; start another one to run workflows");
}
