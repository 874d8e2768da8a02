import { defineCase } from "../../engine/case.ts";

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
  async run(t) {
    const [a, b] = t.pair();
    const alone = [await t.calibrated(a), await t.calibrated(b)] as const;
    if (alone[0].fingerprint === alone[1].fingerprint) {
      t.untestable(
        `samples a and b of ${a.method} have equal outputs; give them parameters or inputs whose results differ`,
      );
    }
    for (let again = 0; again < 3; again++) {
      const task_id = t.id("task");
      const runs = await Promise.all(
        [a, b].map((sample) => t.run(sample, { task_id, workflow_id: t.id("wf") })),
      );
      for (const [at, run] of runs.entries()) {
        const { fingerprint, problem } = await t.outputOf(run);
        t.require(fingerprint === alone[at]?.fingerprint, "E_WRONG_OUTPUT", {
          expected: `workflow ${run.workflow_id} to get the output that its request has alone`,
          found:
            problem ??
            (fingerprint === alone[1 - at]?.fingerprint ? "the other workflow's output" : "another output"),
          at: [run.execute, run.last],
        });
      }
    }
  },
});
