import { setMaxListeners } from "node:events";
import type { TaskEvent } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import { retryDelay } from "../core/failure.ts";
import { type TaskState, taskAt, type WorkflowState } from "../core/state.ts";
import type { Logger } from "../logging/logger.ts";
import type { ClientLease } from "./client-pool.ts";
import type { Clock } from "./clock.ts";
import { type Conversation, type Report, startConversation } from "./conversation.ts";
import { aboutOf } from "./log-ends.ts";
import type { SecretGuard } from "./secret-guard.ts";

/** What the conversations of one workflow share. */
export interface OpenWorkflowOptions {
  workflow_id: string;
  lease: ClientLease;
  guard: SecretGuard;
  clock: Clock;
  random: () => number;
  poll_interval_ms: number;
  logger: Logger | undefined;
  /** Hands on what became of an attempt. */
  post: (event: TaskEvent, attempt: number) => void;
}

/** The calls of a workflow that runs. */
export interface OpenWorkflow {
  /** Sends the newest attempt of a task. */
  start(state: WorkflowState, task: number): void;
  /** Takes no notice of a task any more, without or with asking the service to stop (best effort). */
  stop(state: WorkflowState, task: number, cancel: boolean): void;
  /** Ends everything and forgets the key; resolves when the services were told, or could not be. */
  end(state: WorkflowState | undefined, cancel: boolean): Promise<void>;
}

/** How long a service may take to answer a cancel that nobody waits for. */
const cancelTimeout_ms = 5000;

/** The calls of a workflow, none yet. */
export function createOpenWorkflow(options: OpenWorkflowOptions): OpenWorkflow {
  const { workflow_id, lease, guard, clock, random, logger, post } = options;
  const conversations = new Map<number, Conversation>();
  const cancels = new Set<Promise<void>>();
  // One for all calls: most calls end by themselves, and a controller for each costs as much as the rest.
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  let stopped = false;

  function toEvent(report: Report, state: WorkflowState, task: number): TaskEvent {
    const at = clock.now();
    if (report.type !== "attemptFailed") return { ...report, at, task };
    const { error, failure, answered, cause } = report;
    const policy = state.spec.nodes[task]?.retry ?? { attempts: 1, backoff_s: 0, on: [] };
    const attempt = taskAt(state, task)?.attempt ?? 1;
    const delay = retryDelay(policy, attempt, report satisfies Failure, random());
    if (failure === "internal") {
      const stack = cause instanceof Error ? cause.stack : String(cause);
      logger?.error(
        { ...aboutOf(state), task_id: taskAt(state, task)?.task_id, stack: guard.redact(String(stack)) },
        "internal error",
      );
    }
    // Somebody who reads the error of a task that was tried again should know that it was.
    const text =
      delay === null && attempt > 1 ? `${error} (attempt ${attempt} of ${policy.attempts})` : error;
    const retry_at = delay === null ? null : at + delay;
    return { type: "attemptFailed", at, task, error: text, failure, answered, retry_at };
  }

  function askToCancel(state: WorkflowState, task: number, id: string): void {
    const { address } = state.spec.nodes[task] as { address: string };
    const client = lease.client(address);
    const cancel = new Promise<void>((resolve, reject) => {
      lease.limits(address).asks.enter((leave) => {
        const signal = AbortSignal.timeout(cancelTimeout_ms);
        client
          .cancel(id, { signal, ...tagsOf(state) })
          .then(resolve, reject)
          .finally(leave);
      });
    })
      .catch((error: Error) => {
        // Deployed services cannot cancel; that the workflow ended does not depend on it.
        const { task_id } = taskAt(state, task) as TaskState;
        logger?.debug(
          { ...aboutOf(state), task_id, err: guard.redact(error.message) },
          "cancel did not get through",
        );
      })
      .finally(() => cancels.delete(cancel));
    cancels.add(cancel);
  }

  function stop(state: WorkflowState, task: number, cancel: boolean): void {
    const conversation = conversations.get(task);
    if (conversation === undefined) return;
    conversations.delete(task);
    conversation.end();
    stopped = true;
    if (cancel && conversation.begun()) askToCancel(state, task, conversation.id());
  }

  return {
    start(state, task) {
      const node = state.spec.nodes[task];
      const { task_id, attempt, idempotency_key, inputs } = taskAt(state, task) as TaskState;
      if (node === undefined || idempotency_key === null)
        throw new Error(`Expected task ${task} to be started`);
      const { operation: method, parameters, address, retry } = node;
      const conversation = startConversation({
        client: lease.client(address),
        limits: lease.limits(address),
        call: { method, workflow_id, task_id, inputs, ...(parameters && { parameters }) },
        idempotency_key,
        tags: tagsOf(state),
        retry,
        poll_interval_ms: options.poll_interval_ms,
        clock,
        random,
        guard,
        signal: abort.signal,
        report(report) {
          if (report.type === "completed" || report.type === "attemptFailed") conversations.delete(task);
          post(toEvent(report, state, task), attempt);
        },
      });
      conversations.set(task, conversation);
    },
    stop,
    async end(state, cancel) {
      const running = [...conversations];
      for (const [task, conversation] of running) {
        if (state === undefined) conversation.end();
        else stop(state, task, cancel);
      }
      conversations.clear();
      // Also for calls of tasks that were stopped before; not without need, because it costs as much as a call.
      if (running.length > 0 || stopped) abort.abort();
      await Promise.all(cancels);
      lease.release();
    },
  };
}

/** What the services log and trace the workflow under: its own id where the submitter had no name for it. */
function tagsOf({ workflow_id, spec }: WorkflowState) {
  return { traceparent: spec.traceparent, correlation_id: spec.correlation_id ?? workflow_id };
}
