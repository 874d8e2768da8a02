import { applyChange, type Execution, hasEnded } from "../tasks/execution.ts";
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
  let ended = 0;
  let endedBytes = 0;
  let payloadBytes = 0;

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
    ended--;
    endedBytes -= bytesOf(execution);
    payloadBytes -= execution.folder_bytes;
    byHandle.delete(handle);
    const under = byRawId.get(task_id);
    if (under === execution) byRawId.delete(task_id);
    if (under === undefined || "handle" in under) return;
    const left = under.byWorkflow.get(workflow_id)?.filter((sibling) => sibling !== execution) ?? [];
    if (left.length > 0) under.byWorkflow.set(workflow_id, left);
    else under.byWorkflow.delete(workflow_id);
    if (under.byWorkflow.size === 0) byRawId.delete(task_id);
    else if (under.newest === execution) under.newest = newestOf(under.byWorkflow);
  }

  return {
    async ready() {},
    async begin(candidate, idempotency_key, admit) {
      const known = ofTask(byRawId.get(candidate.task_id), candidate.workflow_id);
      const begun = decideBegin(known, candidate, idempotency_key);
      if (begun.outcome === "started") {
        admit?.();
        add(candidate);
      }
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
      if (hasEnded(execution)) {
        ended++;
        endedBytes += bytesOf(execution);
        payloadBytes += execution.folder_bytes;
      }
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
        const { ended_at } = execution;
        if (ended_at === undefined || now - ended_at < neverDroppedWithin_ms) continue;
        const tooOld = now - ended_at > retention.max_age_s * 1000;
        const tooLarge = endedBytes > retention.max_bytes && bytesOf(execution) > smallBytes;
        if (!tooOld && !tooLarge && ended <= retention.max_tasks) continue;
        drop(execution);
        dropped.push(execution);
      }
      if (payloadBytes <= retention.max_payload_bytes) return dropped;
      for (const execution of endedWithFiles(byHandle.values())) {
        if (now - execution.ended_at < neverDroppedWithin_ms) break;
        drop(execution);
        dropped.push(execution);
        if (payloadBytes <= retention.max_payload_bytes) break;
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

/** The one that began last; handles do not tell, the times do, and within a list the order does. */
function newestOf(byWorkflow: ReadonlyMap<string, Execution[]>): Execution {
  const lasts = [...byWorkflow.values()].map((siblings) => siblings.at(-1) as Execution);
  return lasts.reduce((newest, one) => (one.created_at >= newest.created_at ? one : newest));
}

/** Those whose files take room, in the order in which they ended. */
function endedWithFiles(all: Iterable<Execution>): (Execution & { ended_at: number })[] {
  const hasFiles = (execution: Execution): execution is Execution & { ended_at: number } =>
    execution.ended_at !== undefined && execution.folder_bytes > 0;
  return [...all].filter(hasFiles).sort((one, other) => one.ended_at - other.ended_at);
}

/** What every execution takes, about; dropping such small ones would not help against bytes. */
const smallBytes = 1024;

function bytesOf({ output, error, message, workflow_id, task_id }: Execution): number {
  let bytes = 500 + workflow_id.length + task_id.length + (error?.length ?? 0) + (message?.length ?? 0);
  if (output !== null) {
    bytes += output.uri.length;
    for (const _ in output.metadata) return bytes + JSON.stringify(output.metadata).length;
  }
  return bytes;
}
