import type { WorkflowEvent } from "../core/events.ts";
import { taskAt, type WorkflowState } from "../core/state.ts";
import { traceIdOf } from "../core/trace.ts";
import type { Logger } from "../logging/logger.ts";

/** What every log line about a workflow has (R-LOG-02). */
export function aboutOf({ workflow_id, spec }: WorkflowState) {
  const { correlation_id, traceparent } = spec;
  return {
    workflow_id,
    ...(correlation_id !== null && { correlation_id }),
    trace_id: traceIdOf(traceparent),
  };
}

/** Logs every attempt that is over and the end of a workflow (R-LOG-01). Errors are redacted before they are events. */
export function logEnds(
  logger: Logger | undefined,
  state: WorkflowState,
  events: readonly WorkflowEvent[],
): void {
  if (logger === undefined) return;
  const { spec } = state;
  const about = aboutOf(state);
  for (const event of events) {
    if (event.type === "completed" || event.type === "attemptFailed") {
      const task = taskAt(state, event.task);
      const node = spec.nodes[event.task];
      const { timeout_s = 0 } = node ?? {};
      const started_at = (task?.deadline_at ?? event.at) - timeout_s * 1000;
      const line = {
        ...about,
        task_id: task?.task_id,
        node_key: node?.key,
        method: node?.operation,
        attempt: task?.attempt,
        status: event.type === "completed" ? "completed" : "failed",
        duration_ms: event.at - started_at,
      };
      if (event.type === "completed") logger.info(line, "task completed");
      else logger.warn({ ...line, error: event.error, failure: event.failure }, "attempt failed");
    }
    if (event.type === "ended") {
      const line = { ...about, status: event.status, duration_ms: event.at - state.created_at };
      logger.info({ ...line, ...(event.error !== null && { error: event.error }) }, "workflow ended");
    }
  }
}
