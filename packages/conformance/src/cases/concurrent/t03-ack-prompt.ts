import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { begin, wordOf } from "./observe.ts";
import { watchOf } from "./watch.ts";

/** So long a caller should wait for a handle at most. */
const budget_ms = 1000;
/** On a busy machine an answer may be late once. */
const attempts = 2;

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
  fix: "Start the work in the background and answer `running` before it has done anything that takes time; work that computes goes into a thread or process of its own, not into the event loop.",
  timing: true,
  async run(t) {
    const { execute, first, twin } = await watchOf(t);
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
      if (first !== undefined) await judgeDuringWork(t, [first, twin.execute]);
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

/** An answer that waits for the work shows as well: it comes late, and time and again with the next task's. */
async function judgeDuringWork(t: CaseContext, early: readonly Exchange[]): Promise<void> {
  const tookOf = ({ sent_at, ended_at }: Exchange) => ended_at - sent_at;
  const isLate = (exchange: Exchange | undefined) => exchange !== undefined && tookOf(exchange) > budget_ms;
  let late = early.find(isLate);
  for (let again = 0; again < attempts && late !== undefined; again++) {
    const begun = await begin(t, t.slow());
    if (begun.handle === undefined) return;
    // The work may begin a moment after its answer.
    await t.pause(100);
    const poll = await t.status(begun.handle, { fresh: true });
    late = isLate(poll) ? poll : undefined;
  }
  t.check(late === undefined, "E_BLOCKED", {
    level: "SHOULD",
    expected: `status to be answered within ${budget_ms} ms while a task is at work`,
    found: `an answer after ${Math.round(late === undefined ? 0 : tookOf(late))} ms, time and again`,
    at: late,
  });
}
