import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { endOf, nameOf } from "../alone.ts";
import { needsToken } from "../prerequisites.ts";

/** As for /health in general (C01). */
const budget_ms = 2000;
const attempts = 3;

export const healthDuringWork = defineCase({
  id: "Q05",
  slug: "seq/health-during-work",
  profile: "sequential",
  level: "SHOULD",
  because: "practice",
  rules: ["R-HEALTH-01"],
  needs: ["slow"],
  holds: "/health is answered while an execute is in flight",
  consequence:
    "Monitors take a service for dead that works, and restart it; no second workflow can use it meanwhile.",
  fix: "Do the work in a thread or process of its own (in FastAPI: `def` instead of `async def`, or a thread pool).",
  timing: true,
  turn: "late",
  async run(t) {
    // On a busy machine an answer may come late once; one that waits for the work does so every time.
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const { health, isBlocked } = await askDuringWork(t);
      if (isBlocked && attempt < attempts) continue;
      const took_ms = Math.round(health.ended_at - health.sent_at);
      t.check(!isBlocked, "E_BLOCKED", {
        expected: `/health to be answered within ${budget_ms} ms, and before the execute that is at work`,
        found:
          health.reply === undefined
            ? "no answer"
            : `an answer after ${took_ms} ms, with or after that of execute`,
        at: health,
      });
      return;
    }
  },
});

async function askDuringWork(t: CaseContext) {
  const sample = t.slow();
  const work = t.run(sample, { fresh: true });
  await t.pause(300);
  const timeout_ms = Math.min(t.settings.timeout_ms, 5 * budget_ms);
  const health = await t.send({ path: "/health", token: null, fresh: true, timeout_ms });
  const run = await work;
  const { execute } = run;
  if (execute.reply !== undefined) needsToken(t, execute.reply);
  if (run.end !== "complete") t.untestable(`${nameOf(sample)}: ${endOf(run)} : see C02 and C09`);
  if (execute.ended_at < health.sent_at) {
    t.untestable(
      `${nameOf(sample)} ended before /health could be asked; let it run for 2 s or more, or correct expect-at-least`,
    );
  }
  const tookTooLong = health.ended_at - health.sent_at > budget_ms;
  const isBehind = (health.answered_at ?? health.ended_at) >= (execute.answered_at ?? execute.ended_at);
  return { health, isBlocked: health.reply === undefined || tookTooLong || isBehind };
}
