import { defineCase } from "../../engine/case.ts";

export const visibleAtOnce = defineCase({
  id: "T04",
  slug: "conc/visible-at-once",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-STAT-01", "R-READ-01"],
  needs: ["slow"],
  holds:
    "A task is known from the moment its handle was told: the first status, on another connection, is no 404",
  consequence:
    "The orchestrator takes the 404 of its first poll for a failed task, although the work goes on.",
  fix: "Register the task before answering `running`, not in the background.",
  stochastic: true,
  async run(t) {
    for (let again = 0; again < 5; again++) {
      const execute = await t.execute(t.slow());
      const status = await t.status(t.handleOf(execute), { fresh: true });
      const reply = t.replied(status);
      t.require(reply.status === 200, "E_NOT_VISIBLE", {
        expected: "200 for a handle that was just told",
        found: `${reply.status}`,
        at: [execute, status],
      });
    }
  },
});
