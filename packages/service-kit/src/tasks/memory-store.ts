import { applyChange, type Execution, hasEnded } from "./execution.ts";
import {
  decideBegin,
  neverDroppedWithin_ms,
  type Retention,
  resolveRetention,
  type TaskStore,
} from "./task-store.ts";

type Listener = (execution: Execution) => void;

/** The executions under one raw task_id: mostly one, or by workflow, where several workflows send the same. */
type UnderRawId = Execution | { newest: Execution; byWorkflow: Map<string, Execution[]> };

/** Keeps executions in this process; a restart forgets them. Bounded by age, number and bytes. */
export function createMemoryStore(given: Retention = {}): TaskStore {
  const retention = resolveRetention(given);
  /** In the order in which they began, which is the order in which they are dropped. */
  const byHandle = new Map<string, Execution>();
  const byRawId = new Map<string, UnderRawId>();
  const listeners = new Map<string, Set<Listener>>();
  let inlineBytes = 0;

  function add(candidate: Execution): void {
    byHandle.set(candidate.handle, candidate);
    const under = byRawId.get(candidate.task_id);
    if (under === undefined) {
      byRawId.set(candidate.task_id, candidate);
      return;
    }
    const byWorkflow = "handle" in under ? new Map([[under.workflow_id, [under]]]) : under.byWorkflow;
    const siblings = byWorkflow.get(candidate.workflow_id);
    if (siblings === undefined) byWorkflow.set(candidate.workflow_id, [candidate]);
    else siblings.push(candidate);
    byRawId.set(candidate.task_id, { newest: candidate, byWorkflow });
  }

  function drop(execution: Execution): void {
    const { handle, task_id, workflow_id } = execution;
    inlineBytes -= bytesOf(execution);
    byHandle.delete(handle);
    const under = byRawId.get(task_id);
    if (under === execution) byRawId.delete(task_id);
    if (under === undefined || "handle" in under) return;
    const left = under.byWorkflow.get(workflow_id)?.filter((sibling) => sibling !== execution) ?? [];
    if (left.length > 0) under.byWorkflow.set(workflow_id, left);
    else under.byWorkflow.delete(workflow_id);
    if (under.byWorkflow.size === 0) byRawId.delete(task_id);
  }

  return {
    async begin(candidate, idempotency_key) {
      const known = ofTask(byRawId.get(candidate.task_id), candidate.workflow_id);
      const begun = decideBegin(known, candidate, idempotency_key);
      if (begun.outcome === "started") add(candidate);
      if (begun.outcome === "attached" && idempotency_key !== undefined) {
        begun.execution.idempotency_keys = [...begun.execution.idempotency_keys, idempotency_key];
      }
      return begun;
    },
    async find(id) {
      const known = byHandle.get(id);
      if (known !== undefined) return known;
      const under = byRawId.get(id);
      return under === undefined || "handle" in under ? under : under.newest;
    },
    async update(handle, change) {
      const execution = byHandle.get(handle);
      if (execution === undefined || !applyChange(execution, change)) return undefined;
      inlineBytes += bytesOf(execution);
      const heard = listeners.get(handle);
      if (heard !== undefined) for (const listener of heard) listener(execution);
      return execution;
    },
    async answered(handle, first_answer) {
      const execution = byHandle.get(handle);
      if (execution !== undefined) execution.first_answer ??= first_answer;
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
        const tooMany = byHandle.size > retention.max_tasks || inlineBytes > retention.max_inline_bytes;
        if (!tooMany && now - execution.created_at <= retention.max_age_s * 1000) break;
        if (!mayDrop(execution, now, tooMany ? neverDroppedWithin_ms : retention.max_age_s * 1000)) continue;
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

const none: readonly Execution[] = [];

function ofTask(under: UnderRawId | undefined, workflow_id: string): readonly Execution[] {
  if (under === undefined) return none;
  if ("handle" in under) return under.workflow_id === workflow_id ? [under] : none;
  return under.byWorkflow.get(workflow_id) ?? none;
}

function mayDrop({ ended_at }: Execution, now: number, kept_ms: number): boolean {
  return ended_at !== undefined && now - ended_at > Math.max(kept_ms, neverDroppedWithin_ms);
}

/** An output comes with the end, once. */
function bytesOf(execution: Execution): number {
  const { output } = execution;
  return hasEnded(execution) && output?.protocol === "inline" ? output.uri.length : 0;
}
