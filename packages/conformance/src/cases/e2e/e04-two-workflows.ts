import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Sample } from "../../target/sample.ts";
import { byHand, findChain, type Known, requireOutput, timeFor, withInputs } from "./by-hand.ts";
import { requireCompleted, runWorkflows } from "./workflow.ts";

export const twoWorkflows = defineCase({
  id: "E04",
  slug: "e2e/two-workflows",
  profile: "e2e",
  level: "MUST",
  because: "data",
  rules: ["R-RUN-04", "R-RUN-06"],
  needs: ["pair"],
  holds: "Two workflows that run at once have their own results, from the first node to the last",
  consequence: "A user is given the result of another user's pipeline.",
  fix: "Keep what belongs to a call in variables and folders of that call: also inputs that are fetched, and temporary files.",
  stochastic: true,
  turn: "soon",
  async run(t) {
    const [a, b, second] = await pairInChain(t);
    const plans: { known: Known; last: Known | undefined }[] = [];
    // One after another: what is compared with has to be made alone.
    for (const sample of [a, b]) {
      const known = await byHand(t, sample);
      if (known === undefined) {
        return t.untestable(`samples of ${a.method} do not complete by hand: see C02, C05 and T07`);
      }
      plans.push({ known, last: second && (await withInputs(t, second, [known.reference])) });
    }
    const outcomes = await runWorkflows(
      t,
      plans.map(({ known: { sample }, last }) => ({
        nodes: [
          {
            name: "first",
            method: sample.method,
            parameters: sample.parameters,
            to: last === undefined ? [] : ["second"],
          },
          ...(last === undefined
            ? []
            : [{ name: "second", method: last.sample.method, parameters: last.sample.parameters }]),
        ],
        inputs: t.inputsOf(sample),
        timeout_ms: timeFor(t, sample, ...(last === undefined ? [] : [last.sample])),
      })),
    );
    for (const [at, outcome] of outcomes.entries()) {
      const plan = plans[at];
      requireCompleted(t, outcome);
      if (plan === undefined) continue;
      await requireOutput(t, outcome.tasks.first, plan.known, outcome.story);
      if (plan.last !== undefined) await requireOutput(t, outcome.tasks.second, plan.last, outcome.story);
    }
  },
});

/** A pair whose results another method takes, else any pair. */
async function pairInChain(t: CaseContext): Promise<readonly [Sample, Sample, Sample | undefined]> {
  const named = (method: string, name: string) =>
    t.all_samples.find((one) => one.method === method && one.name === name && one.expect === "complete");
  const found = await findChain(t, ({ method }) => [named(method, "a"), named(method, "b")].every(Boolean));
  const a = found && named(found.first.sample.method, "a");
  const b = found && named(found.first.sample.method, "b");
  return a !== undefined && b !== undefined ? [a, b, found?.second] : [...t.pair(), undefined];
}
