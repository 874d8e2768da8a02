import { defineCase } from "../../engine/case.ts";
import { byHand, requireOutput, timeFor } from "./by-hand.ts";
import { requireCompleted, runWorkflow } from "./workflow.ts";

export const longTask = defineCase({
  id: "E06",
  slug: "e2e/long-task",
  profile: "e2e",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-STAT-01", "R-READ-11"],
  needs: ["slow"],
  holds:
    "A workflow over a long task completes, however often the orchestrator asks for its status meanwhile",
  consequence: "Short runs work, and the long ones, which matter, are lost near their end.",
  fix: "Answer every status call the same way, also those with headers that you do not know (Prefer, traceparent): no limits, no state in the poll.",
  turn: "late",
  async run(t) {
    const sample = t.slow();
    const known = await byHand(t, sample);
    if (known === undefined)
      return t.untestable(`sample "${sample.name}" does not complete by hand: see T07`);
    const { method, parameters } = sample;
    const outcome = await runWorkflow(t, {
      nodes: [{ name: "node1", method, parameters }],
      inputs: t.inputsOf(sample),
      timeout_ms: timeFor(t, sample),
    });
    requireCompleted(t, outcome);
    await requireOutput(t, outcome.tasks.node1, known, outcome.story);
  },
});
