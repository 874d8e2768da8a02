import { isDeepStrictEqual } from "node:util";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Sample } from "../../target/sample.ts";
import { allPairs, endOf, nameOf } from "../alone.ts";
import { oneOfEachStyle } from "../prerequisites.ts";

export const parameters = defineCase({
  id: "C04",
  slug: "core/parameters",
  profile: "core",
  level: "MUST",
  because: "data",
  rules: ["R-EXEC-03"],
  needs: ["sample"],
  holds:
    "A request without `parameters` is treated like one with {}, and the members of `parameters` reach the method",
  consequence:
    "The deployed orchestrator never sends `parameters`: the method then fails or computes something else than in the tests of its author. Where they are dropped, every result is that of the defaults.",
  fix: "Let `parameters` default to {} where the request is read, and hand its members to the method.",
  async run(t) {
    for (const sample of oneOfEachStyle(t)) await areAlike(t, sample);
    await areHandedOn(t);
  },
});

async function areAlike(t: CaseContext, sample: Sample): Promise<void> {
  const runWith = async (given: unknown) => {
    const run = await t.run(sample, { override: { parameters: given } });
    if (run.end === "broken" || run.end === "stuck") {
      t.untestable(`${nameOf(sample)} does not end as it should (${endOf(run)}) : see C05, T07 and T09`);
    }
    return { run, output: (await t.outputOf(run)).fingerprint };
  };
  const absent = await runWith(undefined);
  const empty = await runWith({});
  const say = {
    expected: `${nameOf(sample)} without parameters to end as with {}: ${endOf(empty.run)}`,
    found: endOf(absent.run),
    at: [empty.run.execute, absent.run.execute, absent.run.last],
  };
  if (!t.check(absent.run.end === empty.run.end, "E_PARAMETERS_ABSENT", say)) return;
  if (absent.output === empty.output) return;
  // Outputs that differ by themselves tell nothing.
  const again = [(await runWith(undefined)).output, (await runWith({})).output];
  if (again[0] !== absent.output || again[1] !== empty.output) return;
  t.check(false, "E_PARAMETERS_ABSENT", { ...say, found: "another output, twice" });
}

/** Two samples that only differ in their parameters were chosen to have different outputs. */
async function areHandedOn(t: CaseContext): Promise<void> {
  const pair = allPairs(t).find(
    ([a, b]) => isDeepStrictEqual(a.inputs, b.inputs) && !isDeepStrictEqual(a.parameters, b.parameters),
  );
  if (pair === undefined) {
    // Half of it was checked, and says so.
    return t.tell("E_PARAMETERS_DROPPED", {
      expected:
        "samples a and b of one method with equal inputs and different parameters, to see whether these reach it; add them to conformance.yaml",
      found: "none",
    });
  }
  const [a, b] = pair;
  const [one, other] = [await t.calibrated(a), await t.calibrated(b)];
  t.check(one.fingerprint !== other.fingerprint, "E_PARAMETERS_DROPPED", {
    expected: `${nameOf(a)} and ${nameOf(b)}, which only differ in their parameters, to have different outputs`,
    found: "equal outputs",
    at: [one.runs[0]?.execute, one.runs[0]?.last, other.runs[0]?.execute, other.runs[0]?.last],
  });
}
