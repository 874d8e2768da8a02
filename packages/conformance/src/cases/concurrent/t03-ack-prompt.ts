import { defineCase } from "../../engine/case.ts";
import { readAs } from "../../engine/drive.ts";
import { wordOf } from "./observe.ts";
import { watchOf } from "./watch.ts";

/** So long a caller should wait for a handle at most. */
const budget_ms = 1000;

export const ackPrompt = defineCase({
  id: "T03",
  slug: "conc/ack-prompt",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-RUN-02", "R-READ-11"],
  needs: ["slow"],
  holds: "`running` is answered at once, within 1 s (within the orchestrator's 30 s in any case)",
  consequence:
    "The orchestrator gives up after 30 s and fails the task although the work goes on; until then its other tasks may have to wait.",
  fix: "Start the work in the background and answer `running` before it has done anything that takes time.",
  timing: true,
  async run(t) {
    const { execute, first } = await watchOf(t);
    t.replied(execute);
    if (readAs(execute, "execute")?.status !== "running")
      return t.untestable("execute did not answer running: see T01");
    const took = (ms: number, at = execute) => ({
      level: "SHOULD" as const,
      expected: `running within ${budget_ms} ms`,
      found: `an answer after ${Math.round(ms)} ms`,
      at,
    });
    if (execute.ended_at - execute.sent_at <= budget_ms) {
      t.check(true, "E_DEADLINE", took(0));
      return;
    }
    const word = first === undefined ? undefined : wordOf(first);
    if (word === "complete" || word === "failed") {
      // No clock is needed to tell that it waited for the work.
      t.check(false, "E_DEADLINE", {
        ...took(execute.ended_at - execute.sent_at),
        expected: `running within ${budget_ms} ms, before the work is done`,
        at: [execute, first],
      });
      return;
    }
    // Once more, and not only because the machine was busy.
    const again = await t.timed(budget_ms, "E_DEADLINE", took, () => t.execute(t.slow()));
    t.replied(again);
  },
});
