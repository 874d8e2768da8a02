import { defineCase } from "../../engine/case.ts";
import { crashBudget_ms, failureOf } from "./watch.ts";

export const crashBecomesFailed = defineCase({
  id: "T12",
  slug: "conc/crash-becomes-failed",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-STAT-03", "R-EXEC-11"],
  needs: ["failing", "slow"],
  holds: "Work that breaks in the background becomes `failed`, within 5 s",
  consequence: "The orchestrator polls without end for work that died long ago; the workflow never finishes.",
  fix: "Wrap the background work, all of it, so that whatever it throws sets the task to `failed` with the message.",
  timing: true,
  async run(t) {
    const failure = await failureOf(t);
    const { seen } = failure ?? {};
    if (seen === undefined)
      return t.untestable(failure?.problem ?? "no task of the failing sample could be started");
    if (seen.end === "lost") return t.untestable("its status could not be read: see T04");
    if (seen.end === "complete")
      return t.untestable('the failing sample completed; give one that fails as "fail"');
    const at = [seen.execute, seen.polls.at(-1)];
    t.require(seen.end === "failed", "E_STUCK", {
      expected: `failed within ${crashBudget_ms} ms of the work's end`,
      found: `running after ${Math.round(seen.took_ms)} ms`,
      at,
    });
    // Nobody outside can tell work that takes long before it breaks from news that come late.
    const latest_ms = Math.max(t.scaled(seen.sample.at_least_ms + crashBudget_ms), 3000);
    t.check(seen.took_ms <= latest_ms, "E_DEADLINE", {
      level: "SHOULD",
      expected: `failed within ${Math.round(latest_ms)} ms; if it works longer before it fails, say expect-at-least for the sample`,
      found: `failed after ${Math.round(seen.took_ms)} ms`,
      at,
    });
  },
});
