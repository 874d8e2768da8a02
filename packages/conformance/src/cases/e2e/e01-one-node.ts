import { defineCase } from "../../engine/case.ts";
import { byHand, requireOutput, timeFor } from "./by-hand.ts";
import { requireCompleted, runWorkflow } from "./workflow.ts";

export const oneNode = defineCase({
  id: "E01",
  slug: "e2e/one-node",
  profile: "e2e",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-03", "R-RUN-10"],
  needs: ["sample"],
  holds: "A workflow of one node completes over every method, with the output that the method has by hand",
  consequence: "Pipelines with this service fail, although it can be called by hand.",
  fix: "Look at what the workflow did, and into the service's log for its calls: ids as in task_0f3a..., headers such as traceparent and Idempotency-Key, parameters or none.",
  turn: "soon",
  async run(t) {
    let judged = 0;
    for (const sample of t.samples()) {
      const known = await byHand(t, sample);
      if (known === undefined) continue;
      judged++;
      const { method, parameters } = sample;
      const outcome = await runWorkflow(t, {
        nodes: [{ name: "node1", method, parameters }],
        inputs: t.inputsOf(sample),
        timeout_ms: timeFor(t, sample),
      });
      requireCompleted(t, outcome);
      await requireOutput(t, outcome.tasks.node1, known, outcome.story);
    }
    if (judged === 0) t.untestable("no sample completes when it is called by hand: see C02, C05 and T07");
  },
});
