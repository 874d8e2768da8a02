import { defineCase } from "../../engine/case.ts";
import { endOf, nameOf, runAlone } from "../alone.ts";

export const duplicateRace = defineCase({
  id: "I05",
  slug: "iso/duplicate-race",
  profile: "isolation",
  level: "SHOULD",
  because: "data",
  rules: ["R-RUN-04", "R-IDEM-03", "R-IDEM-04"],
  needs: ["sample"],
  holds: "The same request twice at the same moment gives one handle, or two that both come to their end",
  consequence:
    "A network that repeats a request, or an orchestrator that asks again, loses the task: one of the two callers polls for something that is not there.",
  fix: "Register a task in one step, under a handle of its own; do not ask first whether there is one and add it then.",
  stochastic: true,
  turn: "soon",
  async run(t) {
    const problems: string[] = [];
    for (const sample of t.samples()) {
      const alone = await runAlone(t, sample);
      if (alone.end !== "complete") {
        problems.push(`${nameOf(sample)} does not complete alone: ${endOf(alone)}`);
        continue;
      }
      const rounds = alone.last.ended_at - alone.execute.sent_at < 1000 ? 5 : 1;
      for (let again = 0; again < rounds; again++) {
        const same = { workflow_id: t.id("wf"), task_id: t.id("task") };
        const max_duration_ms = t.scaled(3 * sample.max_duration_ms);
        const runs = await Promise.all([1, 2].map(() => t.run(sample, { ...same, max_duration_ms })));
        for (const run of runs) {
          const { status } = t.replied(run.execute);
          const at = [runs[0]?.execute, runs[1]?.execute, run.last];
          const say = { expected: `both of two equal requests to complete (${nameOf(sample)})`, at };
          t.check(status < 500, "E_SERVER_ERROR", { ...say, found: `${status} for one of them` });
          if (status >= 500) continue;
          t.check(run.end === "complete", "E_TASK_LOST", { ...say, found: `one of them: ${endOf(run)}` });
        }
      }
    }
    if (problems.length === t.samples().length) t.untestable(problems.join("; "));
  },
});
