import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Sample } from "../../target/sample.ts";
import { endOf, nameOf, prepareAlone, runAlone } from "../alone.ts";

export const failureContained = defineCase({
  id: "I03",
  slug: "iso/failure-contained",
  profile: "isolation",
  level: "MUST",
  because: "data",
  rules: ["R-EXEC-11", "R-RUN-02"],
  needs: ["failing", "sample"],
  holds: "A task that fails takes no other with it: eight beside it, and the one after it, complete",
  consequence:
    "One bad input of one user fails the workflows of all others, or stops the service until somebody restarts it.",
  fix: "Catch what a task throws where that task runs; a worker that dies is replaced, and nothing that tasks share is closed.",
  turn: "soon",
  // Before anything fails: a service that works on nothing any more after that can still be told from one that never did.
  async prepare(t) {
    await Promise.all(failingOf(t).map((failing) => prepareAlone(t, besideOf(t, failing))));
  },
  async run(t) {
    const problems: string[] = [];
    const all = failingOf(t);
    for (const failing of all) await runAlone(t, besideOf(t, failing));
    for (const failing of all) {
      const problem = await judgeMethod(t, failing);
      if (problem !== undefined) problems.push(problem);
    }
    if (problems.length === all.length) t.untestable(problems.join("; "));
  },
});

function failingOf(t: CaseContext): Sample[] {
  return t.all_samples.filter(({ expect }) => expect === "failed");
}

/** @returns why it cannot be judged with this sample */
async function judgeMethod(t: CaseContext, failing: Sample): Promise<string | undefined> {
  const beside = besideOf(t, failing);
  const alone = await runAlone(t, beside);
  if (alone.end !== "complete") return `${nameOf(beside)} does not complete alone: ${endOf(alone)}`;
  const options = { max_duration_ms: t.scaled(2 * beside.max_duration_ms) };
  const run = () => t.run(beside, options);
  // Four that are there before it, four that come with it.
  const all = [run(), run(), run(), run(), t.run(failing, options), run(), run(), run(), run()];
  const runs = await Promise.all(all);
  const failed = runs[4];
  if (failed?.end === "complete") return `${nameOf(failing)} completes (see C08)`;
  for (const one of [...runs.filter((other) => other !== failed), await run()]) {
    if (one.end === "refused" && one.last.reply?.status === 503) continue;
    const holds = t.check(one.end === "complete", "E_DISTURBED", {
      expected: `${nameOf(beside)} to complete beside or after ${nameOf(failing)}, which fails`,
      found: endOf(one),
      at: [failed?.execute, one.execute, one.last],
    });
    if (!holds) break;
  }
  return undefined;
}

/** What is run beside it: of the same method, where one of its samples completes. */
function besideOf(t: CaseContext, { method }: Sample): Sample {
  return t.samples().find((sample) => sample.method === method) ?? t.sample();
}
