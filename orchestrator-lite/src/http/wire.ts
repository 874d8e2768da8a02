import type { DataReference } from "@aieffect/control-interface";
import type { TaskView, WorkflowView } from "../views/views.ts";

/** A workflow as the deployed API answers it. */
export function toWireWorkflow({ workflow_id, status, created_at, updated_at, error }: WorkflowView) {
  return { workflow_id, status, created_at, updated_at, error };
}

/** A task as the deployed API answers it; progress and message are ours, and only there when known. */
export function toWireTask(task: TaskView) {
  const { task_id, node_key, status, created_at, updated_at, error, progress, message } = task;
  return {
    task_id,
    node_key,
    status,
    created_at,
    updated_at,
    error,
    input_refs: task.input_refs.map(toWireReference),
    output_refs: task.output_refs.map(toWireReference),
    ...(progress !== undefined && { progress }),
    ...(message !== undefined && { message }),
  };
}

/** The deployed API shows these four fields; between services all of them travel (R-REF-16). */
function toWireReference({ protocol, uri, format, metadata }: DataReference) {
  return { protocol, uri, format, metadata: metadata ?? {} };
}
