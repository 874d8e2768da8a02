import type { WorkflowState } from "../core/state.ts";
import type { WorkflowStore } from "./store.ts";

/** Keeps the newest state of every workflow in memory; nothing survives the process. */
export function createMemoryStore(): WorkflowStore {
  const states = new Map<string, WorkflowState>();
  return {
    async append({ workflow_id, expected_version, state }) {
      const version = states.get(workflow_id)?.version ?? 0;
      if (version !== expected_version) {
        throw new Error(`Expected ${workflow_id} to have ${expected_version} events, found ${version}`);
      }
      states.set(workflow_id, state);
    },
    load: async (workflow_id) => states.get(workflow_id),
    list: async () => [...states.keys()],
    async remove(workflow_id) {
      states.delete(workflow_id);
    },
  };
}
