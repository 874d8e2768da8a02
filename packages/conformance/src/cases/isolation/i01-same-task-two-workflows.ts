import { defineCase } from "../../engine/case.ts";
import { allPairs } from "../alone.ts";
import { distinctPairs, judgeOutput } from "./outputs.ts";

export const sameTaskTwoWorkflows = defineCase({
  id: "I01",
  slug: "iso/same-task-two-workflows",
  profile: "isolation",
  level: "MUST",
  because: "data",
  rules: ["R-RUN-04"],
  needs: ["pair"],
  holds: "Two workflows that send the same task_id at once each get their own result",
  consequence:
    "The deployed orchestrator derives task_ids from the pipeline alone, so that two runs of one pipeline send the same one: a workflow is given the other's result.",
  fix: "Key tasks by workflow_id and task_id and something of your own, and answer `running` with a handle that is unlike any other.",
  turn: "soon",
  async run(t) {
    const pairs = await distinctPairs(t, allPairs(t));
    const rounds = pairs.some(({ took_ms }) => took_ms > 1000) ? 1 : 3;
    for (let again = 0; again < rounds; again++) {
      const task_id = t.id("task");
      const runs = await Promise.all(
        pairs.map(({ samples }) =>
          Promise.all(samples.map((sample) => t.run(sample, { task_id, workflow_id: t.id("wf") }))),
        ),
      );
      for (const [at, pair] of pairs.entries()) {
        for (const [which, run] of (runs[at] ?? []).entries()) {
          // One says it all.
          if (!(await judgeOutput(t, pair, which as 0 | 1, run))) return;
        }
      }
    }
  },
});
