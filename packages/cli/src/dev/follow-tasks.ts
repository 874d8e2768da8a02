import { setTimeout as pause } from "node:timers/promises";
import { ControlClient } from "@aieffect/control-interface";
import type { TaskNews } from "./task-board.ts";

/** Asks a service how its tasks are doing. */
export interface TaskFollower {
  /** Follows a task to its end; one that is followed already is not asked for twice. */
  follow(task: TaskNews): void;
  close(): void;
}

/** Pause between two questions to a service that does not hold its answers back, in ms. */
const pause_ms = 1000;

/** @param onNews told of every answer */
export function createTaskFollower(
  base_url: string,
  api_key: string | undefined,
  onNews: (news: TaskNews) => void,
): TaskFollower {
  const client = new ControlClient({ base_url, ...(api_key !== undefined && { api_key }) });
  const closing = new AbortController();
  const followed = new Set<string>();

  async function ask({ workflow_id, task_id, method }: TaskNews, handle: string): Promise<void> {
    for (let wait_s = 0; ; wait_s = 20) {
      const { reading, waited, message } = await client.status(handle, { wait_s, signal: closing.signal });
      const { status, progress } = reading;
      // The end is told by the log, or by the orchestrator, who know how long it took and why it failed.
      if (status !== "running") return;
      onNews({ workflow_id, task_id, method, handle, status, progress, message });
      if (!waited && wait_s > 0) await pause(pause_ms, undefined, { signal: closing.signal });
    }
  }

  return {
    follow(task) {
      const { handle } = task;
      if (handle === undefined || followed.has(handle)) return;
      followed.add(handle);
      // The service was stopped, or wants a key that is not ours: the log still tells the end.
      ask(task, handle)
        .catch(() => {})
        .finally(() => followed.delete(handle));
    },
    close() {
      closing.abort();
      client.close();
    },
  };
}
