import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { allPairs, nameOf } from "../alone.ts";
import { type DistinctPair, distinctPairs, judgeOutput } from "./outputs.ts";

export const noParameterBleed = defineCase({
  id: "I04",
  slug: "iso/no-parameter-bleed",
  profile: "isolation",
  level: "MUST",
  because: "data",
  rules: ["R-EXEC-03", "R-RUN-04"],
  needs: ["pair"],
  holds: "What one task was told has no influence on the next one",
  consequence:
    "A workflow is computed with the parameters of another, which ran before it; it differs from day to day, and nobody knows why.",
  fix: "Python: no `def run(options={})`, no module-level settings that a task updates; copy the defaults for every task.",
  turn: "late",
  async run(t) {
    for (const pair of await distinctPairs(t, allPairs(t))) await judgePair(t, pair);
  },
});

/** Tasks take turns with ones that are told nothing: whatever is kept is the one's before. */
async function judgePair(t: CaseContext, pair: DistinctPair): Promise<void> {
  const [a, b] = pair.samples;
  const hasParameters = pair.samples.some(({ parameters = {} }) => Object.keys(parameters).length > 0);

  async function bareAfter(which: 0 | 1) {
    const before = await t.run(pair.samples[which]);
    if (!(await judgeOutput(t, pair, which, before)) || !hasParameters) return undefined;
    const run = await t.run(a, { override: { parameters: {} } });
    const { fingerprint } = await t.outputOf(run);
    return { run, comesTo: run.end === "complete" ? (fingerprint ?? "unknown") : run.end };
  }

  await judgeChanged(t, pair);
  const afterB = await bareAfter(1);
  const afterA = await bareAfter(0);
  if (afterA === undefined || afterB === undefined) return;
  // Without parameters it may do what is never the same twice: then there is nothing to compare.
  if (afterA.comesTo !== afterB.comesTo && (await bareAfter(1))?.comesTo !== afterB.comesTo) return;
  t.check(afterA.comesTo === afterB.comesTo, "E_PARAMETER_BLEED", {
    expected: `${a.method} without parameters to come to the same after ${nameOf(a)} as after ${nameOf(b)}`,
    found:
      afterA.run.end === afterB.run.end ? "different outputs" : `${afterA.run.end} and ${afterB.run.end}`,
    at: [afterB.run.execute, afterB.run.last, afterA.run.execute, afterA.run.last],
  });
}

/** The same ids with another request, as a pipeline sends that was changed and run again: its own result, or a refusal. */
async function judgeChanged(t: CaseContext, { samples: [a, b], fingerprints }: DistinctPair): Promise<void> {
  const ids = { workflow_id: t.id("wf"), task_id: t.id("task") };
  const before = await t.run(a, ids);
  const changed = await t.run(b, ids);
  // Whether ids may be used twice is Q04's and T15's.
  if (before.end !== "complete" || changed.end !== "complete") return;
  const { fingerprint, problem } = await t.outputOf(changed);
  const isOther = fingerprint !== undefined && fingerprint === fingerprints[0];
  t.check(fingerprint === fingerprints[1], "E_WRONG_OUTPUT", {
    level: "SHOULD",
    expected: `${nameOf(b)} to have its own output, also under the ids of ${nameOf(a)}, which ran before it`,
    found: problem ?? (isOther ? "the output of the request before" : "another output"),
    at: [before.execute, before.last, changed.execute, changed.last],
  });
}
