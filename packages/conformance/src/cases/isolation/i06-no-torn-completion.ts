import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import { endOf, howManyAtOnce, nameOf, runAlone } from "../alone.ts";

/** So many ask at a time. More would wait for one another, and come too late for a short gap. */
const observers = 8;
/** So many times they ask in quick succession, at the most. */
const mostCalls = 1500;

export const noTornCompletion = defineCase({
  id: "I06",
  slug: "iso/no-torn-completion",
  profile: "isolation",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-OUT-04", "R-STAT-05", "R-READ-10"],
  needs: ["slow"],
  holds:
    "Whoever sees a task complete finds its output, also when many look at the moment at which it completes",
  consequence:
    "Once in many runs the orchestrator asks for the output a moment too early, is refused, and fails a task that is done. Such faults are looked for for weeks.",
  fix: "Store the output before the status says complete, or change both under one lock.",
  stochastic: true,
  turn: "late",
  async run(t) {
    const slow = t.slow();
    const alone = await runAlone(t, slow);
    if (alone.end !== "complete")
      t.untestable(`${nameOf(slow)} does not complete: ${endOf(alone)} (see T07)`);
    const usual_ms = alone.last.ended_at - alone.execute.sent_at;
    const early_ms = 3 * t.settings.poll_interval_ms;
    const soon_ms = Math.max(t.scaled(slow.at_least_ms) - early_ms, 0.7 * usual_ms);
    const near_ms = Math.min(usual_ms - early_ms, soon_ms);
    const count = howManyAtOnce(observers, [alone.output_call]);
    // One that was quicker this time is looked at earlier the next time.
    for (const from_ms of [near_ms, near_ms / 2, 0]) {
      if (await observeCompletion(t, from_ms, Math.max(3 * usual_ms, slow.max_duration_ms), count)) return;
    }
    t.untestable(`${nameOf(slow)} was never seen to complete (see T07)`);
  },
});

/** @returns whether the moment of completion was observed */
async function observeCompletion(
  t: CaseContext,
  from_ms: number,
  most_ms: number,
  count: number,
): Promise<boolean> {
  const handle = t.handleOf(await t.execute(t.slow()));
  const began = performance.now();
  const since = () => performance.now() - began;
  let calls = 0;
  let completed = 0;
  let before = 0;
  let torn = false;

  /** Asks again and again, and for the output at once when it is said to be there. */
  async function observe(): Promise<void> {
    for (let seen = 0; seen < 5 && !torn && since() < most_ms; calls++) {
      const status = await t.status(handle);
      const word = readAs(status, "status")?.status;
      if (word === "running" && completed === 0) before++;
      if (word === "complete") {
        seen++;
        completed++;
        const output = await t.output(handle);
        // One says it all.
        if (torn) return;
        torn = !t.check(readAs(output, "output") !== undefined, "E_TORN_COMPLETION", {
          expected: `the output of ${handle} to be there, for status says complete`,
          found: `${output.reply?.status ?? output.silence?.message}`,
          at: [status, output],
        });
      }
      await t.pause(calls < mostCalls ? 5 : 500);
    }
  }

  // Until shortly before its time nothing is to be seen.
  while (since() < from_ms) await t.pause(20);
  await Promise.all(Array.from({ length: count }, observe));
  return torn || (completed > 0 && before >= 2 * count);
}
