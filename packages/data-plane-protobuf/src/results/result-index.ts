import type { ResultIds } from "../reference/grpc-reference.ts";

/** A result on disk. */
export interface Result extends ResultIds {
  handle: string;
  /** Of the RPC. */
  path: string;
  /** Its messages, each behind its length. */
  file: string;
  /** Of the file. */
  size_bytes: number;
  /** Of all messages together. */
  message_bytes: number;
}

/** Names a result for as long as the service runs: of files the names are used again. */
export function idOf({ path, handle }: Result): string {
  return `${handle} ${path}`;
}

/** Which results there are. Whether their tasks are complete, and known still, it does not know. */
export interface ResultIndex {
  /** Adds one; one that was `found` on disk is not taken for the newest. */
  add(result: Result, found?: boolean): void;
  /** Of one execution, under an RPC. */
  ofExecution(path: string, handle: string): Result | undefined;
  /** Of all executions of a task, under an RPC, newest first. */
  ofTask(path: string, ids: ResultIds): Result[];
  /** Of all tasks, under an RPC, newest first. */
  newest(path: string): Iterable<Result>;
  /** Forgets all results of an execution, and gives them; that it had some is remembered for a while, unless it `failed`. */
  forget(handle: string, failed?: boolean): Result[];
  /** Whether some result under an RPC was forgotten. */
  hasForgotten(path: string): boolean;
  /** Whether a task had a result that was forgotten. */
  wasForgotten({ workflow_id, task_id }: ResultIds): boolean;
}

/** So many forgotten tasks are remembered, to tell their callers that they come too late. */
const maxForgotten = 10_000;

export function createResultIndex(): ResultIndex {
  /** By execution, then by RPC. */
  const byExecution = new Map<string, Map<string, Result>>();
  /** By task; oldest first. */
  const byTask = new Map<string, Result[]>();
  const byRpc = new Map<string, RecentList>();
  const forgotten = new Set<string>();
  const forgottenUnder = new Set<string>();

  function remember(ids: ResultIds): void {
    const key = keyOf(ids);
    forgotten.delete(key);
    forgotten.add(key);
    for (const oldest of forgotten) {
      if (forgotten.size <= maxForgotten) return;
      forgotten.delete(oldest);
    }
  }

  return {
    add(result, found = false) {
      const { handle, path } = result;
      byExecution.set(handle, (byExecution.get(handle) ?? new Map()).set(path, result));
      const key = keyOf(result);
      byTask.set(key, [...(byTask.get(key) ?? []), result]);
      forgotten.delete(key);
      if (found) return;
      const recent = byRpc.get(path) ?? createRecentList();
      recent.add(result);
      byRpc.set(path, recent);
    },
    ofExecution: (path, handle) => byExecution.get(handle)?.get(path),
    ofTask: (path, ids) => (byTask.get(keyOf(ids)) ?? []).filter((result) => result.path === path).reverse(),
    newest: (path) => byRpc.get(path)?.newest() ?? [],
    forget(handle, failed = false) {
      const results = [...(byExecution.get(handle)?.values() ?? [])];
      byExecution.delete(handle);
      for (const result of results) {
        const { path, workflow_id } = result;
        byRpc.get(path)?.remove(result);
        const key = keyOf(result);
        const others = byTask.get(key)?.filter((other) => other !== result) ?? [];
        if (others.length > 0) byTask.set(key, others);
        else byTask.delete(key);
        // Nobody could have had it.
        if (failed) continue;
        forgottenUnder.add(path);
        if (others.length === 0) remember(result);
        remember({ workflow_id, task_id: handle });
      }
      return results;
    },
    hasForgotten: (path) => forgottenUnder.has(path),
    wasForgotten: (ids) => forgotten.has(keyOf(ids)),
  };
}

/** The results of one RPC in the order in which they came. */
interface RecentList {
  add(result: Result): void;
  remove(result: Result): void;
  newest(): Generator<Result, void, undefined>;
}

/** Those that are removed stay in their places until they are half of all, so that removing costs nothing. */
function createRecentList(): RecentList {
  let all: Result[] = [];
  const there = new Set<Result>();
  return {
    add(result) {
      all.push(result);
      there.add(result);
    },
    remove(result) {
      there.delete(result);
      if (all.length > 2 * there.size + 16) all = [...there];
    },
    *newest() {
      const seen = all;
      for (let index = seen.length - 1; index >= 0; index--) {
        const result = seen[index] as Result;
        if (there.has(result)) yield result;
      }
    },
  };
}

function keyOf({ workflow_id, task_id }: ResultIds): string {
  return JSON.stringify([workflow_id, task_id]);
}
