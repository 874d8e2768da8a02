import { defineMutants } from "../mutant.ts";
import type { Made } from "../pristine.ts";

/** Faults that cases of the profile isolation have to catch. */
export const isolationMutants = defineMutants({
  id: "keyed-by-task-id",
  breaks: "I01",
  code: "E_WRONG_OUTPUT",
  summary: "keeps results by the orchestrator's task_id alone",
  fault(fired) {
    const results = new Map<string, Promise<Made>>();
    return {
      work(task, next) {
        const { task_id } = task.body;
        const known = results.get(task_id);
        if (known !== undefined) {
          fired();
          return known;
        }
        const made = next();
        results.set(task_id, made);
        return made;
      },
    };
  },
});
