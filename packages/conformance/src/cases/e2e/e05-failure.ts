import { isDeepStrictEqual } from "node:util";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Sample } from "../../target/sample.ts";
import { byHand, requireOutput, timeFor } from "./by-hand.ts";
import { runWorkflow, told } from "./workflow.ts";

export const failure = defineCase({
  id: "E05",
  slug: "e2e/failure",
  profile: "e2e",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-10"],
  needs: ["failing"],
  holds:
    "A node that fails fails its workflow with the service's own reason, and the workflow's other tasks finish",
  consequence: "A workflow hangs, ends without a reason, or takes work down with it that was going well.",
  fix: "Fail the one task, with the reason as its error; never what else runs, of that workflow or another.",
  turn: "late",
  async run(t) {
    const { failing, other } = pick(t);
    const run = await t.run(failing);
    if (run.end !== "failed" && run.end !== "refused") {
      return t.untestable(
        `sample "${failing.name}" of ${failing.method} does not fail by hand: see C08 and T11`,
      );
    }
    const alone = other && (await byHand(t, other));
    // What does not even work without a neighbour that fails is the subject of others (E01, E06).
    const known = alone && (await worksAlone(t, alone.sample)) ? alone : undefined;
    const outcome = await runWorkflow(t, {
      nodes: [
        { name: "failing", method: failing.method, parameters: failing.parameters },
        ...(known === undefined
          ? []
          : [{ name: "other", method: known.sample.method, parameters: known.sample.parameters }]),
      ],
      inputs: t.inputsOf(failing),
      timeout_ms: timeFor(t, failing),
    });
    const code = outcome.status === undefined ? "E_STUCK" : "E_WORKFLOW_NOT_FAILED";
    t.require(outcome.status === "failed", code, {
      expected: "a workflow that fails, because its task does by hand",
      found: told(outcome),
    });
    const task = outcome.tasks.failing;
    const isOwn =
      task?.failure === "failed" || task?.failure === "rejected" || task?.failure === "unavailable";
    t.require(isOwn && task.error !== null && task.error !== "", "E_WORKFLOW_UNEXPLAINED", {
      expected: "a task that is failed with the service's own reason",
      found: `${task?.status} (${task?.failure}): ${task?.error} (${outcome.story})`,
    });
    if (known === undefined) return;
    t.require(outcome.tasks.other?.status === "completed", "E_WORKFLOW_FAILED", {
      expected: `the other task of the workflow, ${known.sample.method}, to complete, as it does by hand`,
      found: told(outcome),
    });
    await requireOutput(t, outcome.tasks.other, known, outcome.story);
  },
});

async function worksAlone(t: CaseContext, sample: Sample): Promise<boolean> {
  const { method, parameters } = sample;
  const { status } = await runWorkflow(t, {
    nodes: [{ name: "other", method, parameters }],
    inputs: t.inputsOf(sample),
    timeout_ms: timeFor(t, sample),
  });
  return status === "completed";
}

/** How far a sample is from running just long enough to be still at work when another one fails. */
const fromLong = ({ at_least_ms }: Sample) => Math.abs(at_least_ms - 2000);

/** A failing sample and, where there is one with the same inputs, one that completes and takes longer. */
function pick(t: CaseContext) {
  for (const failing of t.all_samples.filter(({ expect }) => expect === "failed")) {
    const other = t.all_samples
      .filter(({ expect, inputs }) => expect === "complete" && isDeepStrictEqual(inputs, failing.inputs))
      .toSorted((one, another) => fromLong(one) - fromLong(another))[0];
    if (other !== undefined) return { failing, other };
  }
  return { failing: t.failing(), other: undefined };
}
