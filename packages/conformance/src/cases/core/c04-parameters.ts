import { isDeepStrictEqual } from "node:util";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Run } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import { allPairs, endOf, nameOf, runAlone } from "../alone.ts";
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
  turn: "late",
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
  // Both at once: they are to be equal, so that mixing them up would not show.
  const [absent, empty] = await Promise.all([runWith(undefined), runWith({})]);
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
  const pair = allPairs(t)
    .filter(
      ([a, b]) => isDeepStrictEqual(a.inputs, b.inputs) && !isDeepStrictEqual(a.parameters, b.parameters),
    )
    .toSorted(([one], [other]) => Number(one.mode === "concurrent") - Number(other.mode === "concurrent"))[0];
  if (pair === undefined) {
    // Half of it was checked, and says so.
    return t.tell("E_PARAMETERS_DROPPED", {
      expected:
        "samples a and b of one method with equal inputs and different parameters, to see whether these reach it; add them to conformance.yaml",
      found: "none",
    });
  }
  const [a, b] = pair;
  const [one, other] = [await runAlone(t, a), await runAlone(t, b)];
  for (const run of [one, other]) {
    if (run.end !== "complete") t.untestable(`${nameOf(run.sample)}: ${endOf(run)} : see C02`);
  }
  const outputOf = async (run: Run) => {
    const { fingerprint, problem } = await t.outputOf(run);
    return fingerprint ?? t.untestable(`the output of ${nameOf(run.sample)}: ${problem}`);
  };
  const outputs = [await outputOf(one), await outputOf(other)];
  const say = {
    expected: `${nameOf(a)} and ${nameOf(b)}, which only differ in their parameters, to have different outputs`,
    found: "equal outputs",
    at: [one.execute, one.last, other.execute, other.last],
  };
  t.require(outputs[0] !== outputs[1], "E_PARAMETERS_DROPPED", say);
  // That they differ tells nothing where a differs from itself.
  if ((await outputOf(await t.run(a))) === outputs[0]) return;
  t.tell("E_PARAMETERS_DROPPED", {
    ...say,
    found: `two outputs of ${nameOf(a)} differ as well; name what differs in compare.ignore`,
  });
}
