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
  async run(t) {
    for (const pair of await distinctPairs(t, allPairs(t))) {
      // Taking turns: whatever is kept is the other's.
      for (const which of [0, 1, 0] as const) {
        if (!(await judgeOutput(t, pair, which, await t.run(pair.samples[which])))) return;
      }
      await judgeDefaults(t, pair);
    }
  },
});

/** A request without parameters comes to the same, whichever ran before it. */
async function judgeDefaults(t: CaseContext, { samples: [a, b] }: DistinctPair): Promise<void> {
  if (Object.keys(a.parameters ?? {}).length === 0 && Object.keys(b.parameters ?? {}).length === 0) return;
  const bare = async () => {
    const run = await t.run(a, { override: { parameters: {} } });
    const { fingerprint } = await t.outputOf(run);
    return { run, comesTo: run.end === "complete" ? (fingerprint ?? "unknown") : run.end };
  };
  await t.run(b);
  const afterB = await bare();
  const afterItself = await bare();
  await t.run(a);
  const afterA = await bare();
  // Without parameters it may do something that is never the same.
  if (afterB.comesTo !== afterItself.comesTo && afterA.comesTo !== afterItself.comesTo) return;
  const at = [afterB.run.execute, afterB.run.last, afterA.run.execute, afterA.run.last];
  t.check(afterA.comesTo === afterB.comesTo, "E_PARAMETER_BLEED", {
    expected: `${a.method} without parameters to come to the same after ${nameOf(a)} as after ${nameOf(b)}`,
    found:
      afterA.run.end === afterB.run.end ? "different outputs" : `${afterA.run.end} and ${afterB.run.end}`,
    at,
  });
}
