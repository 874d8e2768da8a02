import { type Append, createMemoryStore, taskAt, type WorkflowStore } from "@aieffect/orchestrator-lite";
import type { TaskNews } from "./task-board.ts";

/** Told of what an orchestrator does. */
export interface WorkflowListener {
  onTask(news: TaskNews): void;
  onWorkflow(workflow_id: string, status: "running" | "completed" | "failed", error?: string): void;
}

/** A store in memory that tells what it is given. */
export function observeWorkflows({ onTask, onWorkflow }: WorkflowListener): WorkflowStore {
  const memory = createMemoryStore();
  return {
    ...memory,
    async append(append: Append) {
      await memory.append(append);
      const { workflow_id, state } = append;
      for (const event of append.events) {
        if (event.type === "accepted") onWorkflow(workflow_id, "running");
        if (event.type === "ended") onWorkflow(workflow_id, event.status, event.error ?? undefined);
        if (!("task" in event)) continue;
        const task = taskAt(state, event.task);
        const task_id = task?.task_id ?? "";
        const about = { workflow_id, task_id, method: state.spec.nodes[event.task]?.operation };
        if (event.type === "started")
          onTask({ ...about, handle: `attempt ${event.attempt}`, status: "running" });
        if (event.type === "progressed") {
          const { progress, message } = event;
          onTask({ ...about, status: "running", progress, message: message ?? undefined });
        }
        if (event.type === "completed") onTask({ ...about, status: "complete" });
        if (event.type === "attemptFailed") onTask({ ...about, status: "failed", error: event.error });
      }
    },
  };
}
