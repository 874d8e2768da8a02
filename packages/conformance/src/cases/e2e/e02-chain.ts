import { defineCase } from "../../engine/case.ts";
import { byHand, findChain, isReadable, noChain, requireOutput, timeFor, withInputs } from "./by-hand.ts";
import { requireCompleted, runWorkflow } from "./workflow.ts";

export const chain = defineCase({
  id: "E02",
  slug: "e2e/chain",
  profile: "e2e",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-RUN-10", "R-READ-08"],
  needs: ["sample"],
  holds: "In a workflow of two nodes the second one gets, and can read, what the first one made",
  consequence: "Every node works alone, and the pipeline fails at its second one.",
  fix: "Make outputs that peers can read: URLs that answer while the service works on another call, with the host name that peers know (SELF_URL), and without what only this process knows.",
  turn: "soon",
  async run(t) {
    const found = await findChain(t);
    if (found === undefined) return t.notApplicable(noChain);
    const { first, second } = found;
    if ((await byHand(t, second)) === undefined || !(await isReadable(t, first))) {
      return t.untestable(
        `${first.sample.method} and ${second.method} do not work by hand, each alone: see C05, D06 and T07`,
      );
    }
    const outcome = await runWorkflow(t, {
      nodes: [
        { name: "first", method: first.sample.method, parameters: first.sample.parameters, to: ["second"] },
        { name: "second", method: second.method, parameters: second.parameters },
      ],
      inputs: t.inputsOf(first.sample),
      timeout_ms: timeFor(t, first.sample, second),
    });
    requireCompleted(t, outcome);
    await requireOutput(t, outcome.tasks.first, first, outcome.story);
    const known = await withInputs(t, second, [first.reference]);
    if (known !== undefined) await requireOutput(t, outcome.tasks.second, known, outcome.story);
  },
});
