import { isDeepStrictEqual } from "node:util";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Sample } from "../../target/sample.ts";
import { byHand, findChain, requireOutput, timeFor, withInputs } from "./by-hand.ts";
import { requireCompleted, runWorkflow } from "./workflow.ts";

export const join = defineCase({
  id: "E03",
  slug: "e2e/join",
  profile: "e2e",
  level: "MUST",
  because: "data",
  rules: ["R-RUN-04", "R-RUN-06"],
  needs: ["sample"],
  holds:
    "Two nodes of one workflow that run at once each have their own result, and a node that joins them gets both",
  consequence: "A pipeline that uses a method twice computes with one result in two places.",
  fix: "Key tasks, results and files by workflow_id and task_id together and a serial of your own, never by the workflow or the method alone.",
  turn: "soon",
  async run(t) {
    const [a, b] = branches(t);
    const known = [await byHand(t, a), await byHand(t, b)] as const;
    if (known[0] === undefined || known[1] === undefined) {
      return t.untestable(`samples of ${a.method} do not complete by hand: see C02, C05 and T07`);
    }
    const joint = await findChain(t, ({ method }) => method === a.method);
    const inputs = [known[0].reference, known[1].reference];
    const joined = joint && (await withInputs(t, joint.second, inputs));
    const to = joined === undefined ? [] : ["join"];
    const outcome = await runWorkflow(t, {
      nodes: [
        { name: "left", method: a.method, parameters: a.parameters, to },
        { name: "right", method: b.method, parameters: b.parameters, to },
        ...(joined === undefined
          ? []
          : [{ name: "join", method: joined.sample.method, parameters: joined.sample.parameters }]),
      ],
      inputs: t.inputsOf(a),
      timeout_ms: timeFor(t, a, b, ...(joined === undefined ? [] : [joined.sample])),
    });
    requireCompleted(t, outcome);
    await requireOutput(t, outcome.tasks.left, known[0], outcome.story);
    await requireOutput(t, outcome.tasks.right, known[1], outcome.story);
    if (joined !== undefined) await requireOutput(t, outcome.tasks.join, joined, outcome.story);
  },
});

/** Two samples of a method that differ in parameters alone, because start nodes share their inputs; else one of them twice. */
function branches(t: CaseContext): readonly [Sample, Sample] {
  for (const one of t.all_samples) {
    const other = t.all_samples.find(
      (sample) =>
        sample !== one &&
        sample.method === one.method &&
        isDeepStrictEqual(sample.inputs, one.inputs) &&
        [one, sample].every(({ expect, at_least_ms }) => expect === "complete" && at_least_ms < 2000),
    );
    if (other !== undefined) return [one, other];
  }
  return [t.sample(), t.sample()];
}
