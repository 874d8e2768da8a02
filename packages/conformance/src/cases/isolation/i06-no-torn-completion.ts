import { defineCase } from "../../engine/case.ts";
import { readAs } from "../../engine/drive.ts";
import { endOf, nameOf, runAlone } from "../alone.ts";

/** So many calls to status are made around the moment at which the task completes. */
const observers = 200;

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
  async run(t) {
    const slow = t.slow();
    const alone = await runAlone(t, slow);
    if (alone.end !== "complete")
      t.untestable(`${nameOf(slow)} does not complete: ${endOf(alone)} (see T07)`);
    const usual_ms = alone.last.ended_at - alone.execute.sent_at;
    const execute = await t.execute(slow);
    const handle = t.handleOf(execute);
    const began = performance.now();
    const most_ms = Math.max(3 * usual_ms, slow.max_duration_ms);
    let completed = 0;
    let torn = false;

    async function observe(): Promise<void> {
      const status = await t.status(handle);
      if (readAs(status, "status")?.status !== "complete") return;
      completed++;
      const output = await t.output(handle);
      const holds = readAs(output, "output") !== undefined;
      // One says it all.
      if (torn) return;
      torn = !t.check(holds, "E_TORN_COMPLETION", {
        expected: `the output of ${handle} to be there, for status says complete`,
        found: output.reply === undefined ? `${output.silence?.message}` : `${output.reply.status}`,
        at: [status, output],
      });
    }

    // Few until shortly before its time, then many at once, in waves.
    const near_ms = usual_ms - Math.max(3 * t.settings.poll_interval_ms, usual_ms / 20);
    const inFlight = new Set<Promise<void>>();
    let made = 0;
    while (completed < 20 && made < 10 * observers && performance.now() - began < most_ms) {
      const isNear = performance.now() - began > near_ms && made < 5 * observers;
      for (let wave = isNear ? observers / 20 : 1; wave > 0; wave--) {
        made++;
        const one: Promise<void> = observe().finally(() => inFlight.delete(one));
        inFlight.add(one);
      }
      // Never more on their way than there are observers.
      if (inFlight.size > observers) await Promise.all(inFlight);
      await t.pause(isNear ? 20 : 100);
    }
    await Promise.all(inFlight);
    if (completed === 0) t.untestable(`${nameOf(slow)} did not complete this time (see T07)`);
  },
});
