import { expect, it } from "vitest";
import { createMemoryStore } from "../stores/memory-store.ts";
import type { TaskStore } from "../stores/task-store.ts";
import { gate } from "../testing/start.ts";
import { applyChange, createExecution, type Execution, hasEnded } from "./execution.ts";
import { waitFor } from "./wait-for.ts";

const request = { workflow_id: "w", task_id: "t", method: "Work" };

function at(...progress: number[]): Execution {
  const execution = createExecution("h", request, "concurrent", "", 0, undefined);
  for (const percent of progress) applyChange(execution, { progress: percent, message: `at ${percent}` });
  return execution;
}

/** A store that tells and finds snapshots as a test wants, as one over a network may. */
function storeThat(find: () => Promise<Execution>) {
  const listeners = new Set<(execution: Execution) => void>();
  const store: TaskStore = {
    ...createMemoryStore(),
    find,
    subscribe(_handle, listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const tell = (execution: Execution) => {
    for (const listener of listeners) listener(execution);
  };
  return { store, tell, listeners };
}

it("never goes back to an older state than it was given or told", async () => {
  const found = gate<Execution>();
  const { store, tell } = storeThat(() => found.opened);
  const gone = new AbortController();
  const waiting = waitFor(store, at(10, 20), hasEnded, { wait_s: 60, signals: [gone.signal] });
  tell(at(10, 20, 30));
  tell(at(10));
  found.open(at(10, 20));
  await found.opened;
  gone.abort();
  expect(await waiting).toMatchObject({ progress: 30, message: "at 30" });
});

it("stops listening when the store fails", async () => {
  const { store, listeners } = storeThat(() => Promise.reject(new Error("away")));
  const limits = { wait_s: Number.POSITIVE_INFINITY, signals: [] };
  await expect(waitFor(store, at(), hasEnded, limits)).rejects.toThrow("away");
  expect(listeners.size).toBe(0);
});
