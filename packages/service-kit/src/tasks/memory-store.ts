import { applyChange, type Execution } from "./execution.ts";
import {
  decideBegin,
  neverDroppedWithin_ms,
  type Retention,
  resolveRetention,
  type TaskStore,
} from "./task-store.ts";

type Listener = (execution: Execution) => void;

/** Keeps executions in this process; a restart forgets them. Bounded by age, number and bytes. */
export function createMemoryStore(given: Retention = {}): TaskStore {
  const retention = resolveRetention(given);
  /** In the order in which they began, which is the order in which they are dropped. */
  const byHandle = new Map<string, Execution>();
  /** Handles by workflow and task, oldest first. */
  const byTask = new Map<string, string[]>();
  /** Handles by raw task_id, oldest first. */
  const byRawId = new Map<string, string[]>();
  const listeners = new Map<string, Set<Listener>>();
  let inlineBytes = 0;

  const taskKey = ({ workflow_id, task_id }: Execution) => `${workflow_id.length}:${workflow_id}${task_id}`;

  function replace(next: Execution): Execution {
    inlineBytes += bytesOf(next) - bytesOf(byHandle.get(next.handle));
    byHandle.set(next.handle, next);
    const heard = listeners.get(next.handle);
    if (heard !== undefined) for (const listener of heard) listener(next);
    return next;
  }

  function drop(execution: Execution): void {
    inlineBytes -= bytesOf(execution);
    byHandle.delete(execution.handle);
    removeFrom(byTask, taskKey(execution), execution.handle);
    removeFrom(byRawId, execution.task_id, execution.handle);
  }

  return {
    async begin(candidate, idempotency_key) {
      const handles = byTask.get(taskKey(candidate));
      const known = handles?.map((handle) => byHandle.get(handle) as Execution) ?? [];
      const begun = decideBegin(known, candidate, idempotency_key);
      if (begun.outcome === "started") {
        replace(candidate);
        addTo(byTask, taskKey(candidate), candidate.handle);
        addTo(byRawId, candidate.task_id, candidate.handle);
      } else if (begun.outcome === "attached" && idempotency_key !== undefined) {
        const { execution } = begun;
        begun.execution = replace({
          ...execution,
          idempotency_keys: [...execution.idempotency_keys, idempotency_key],
        });
      }
      return begun;
    },
    async find(id) {
      return byHandle.get(id) ?? byHandle.get(byRawId.get(id)?.at(-1) ?? "");
    },
    async update(handle, change) {
      const execution = byHandle.get(handle);
      const next = execution && applyChange(execution, change);
      return next && replace(next);
    },
    async answered(handle, first_answer) {
      const execution = byHandle.get(handle);
      if (execution !== undefined && execution.first_answer === undefined)
        replace({ ...execution, first_answer });
    },
    subscribe(handle, listener) {
      const heard = listeners.get(handle) ?? new Set();
      listeners.set(handle, heard.add(listener));
      return () => {
        heard.delete(listener);
        if (heard.size === 0) listeners.delete(handle);
      };
    },
    async prune(now) {
      const dropped: Execution[] = [];
      for (const execution of byHandle.values()) {
        const age_ms = execution.ended_at === undefined ? 0 : now - execution.ended_at;
        const tooMany = byHandle.size > retention.max_tasks || inlineBytes > retention.max_inline_bytes;
        if (!tooMany && now - execution.created_at <= retention.max_age_s * 1000) break;
        if (execution.ended_at === undefined || age_ms < neverDroppedWithin_ms) continue;
        if (!tooMany && age_ms <= retention.max_age_s * 1000) continue;
        drop(execution);
        dropped.push(execution);
      }
      return dropped;
    },
    async close() {
      listeners.clear();
    },
  };
}

function bytesOf(execution: Execution | undefined): number {
  return execution?.output?.protocol === "inline" ? execution.output.uri.length : 0;
}

function addTo(index: Map<string, string[]>, key: string, handle: string): void {
  const handles = index.get(key);
  if (handles === undefined) index.set(key, [handle]);
  else handles.push(handle);
}

function removeFrom(index: Map<string, string[]>, key: string, handle: string): void {
  const left = index.get(key)?.filter((other) => other !== handle) ?? [];
  if (left.length === 0) index.delete(key);
  else index.set(key, left);
}
