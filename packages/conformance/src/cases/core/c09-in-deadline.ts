import { defineCase } from "../../engine/case.ts";
import { nameOf } from "../alone.ts";

export const inDeadline = defineCase({
  id: "C09",
  slug: "core/in-deadline",
  profile: "core",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-READ-11", "R-RUN-01"],
  needs: ["sample"],
  holds: "Execute is answered within the 30 s that the deployed orchestrator allows, less a margin",
  consequence: "The orchestrator gives up and fails the task while the service is still at work.",
  fix: "Make the method concurrent: answer `running` with a task_id at once, and work in the background.",
  timing: true,
  async run(t) {
    const budget_ms = t.settings.execute_budget_ms;
    for (const sample of t.samples()) {
      const exchange = await t.timed(
        budget_ms,
        "E_DEADLINE",
        (took) => ({
          expected: `an answer to ${nameOf(sample)} within ${Math.round(budget_ms / 1000)} s`,
          found: `none after ${(took / 1000).toFixed(1)} s`,
        }),
        () => t.execute(sample),
      );
      const { silence } = exchange;
      // Time is up for the harness as it is for the orchestrator; everything else is not about time.
      if (silence !== undefined && silence.kind !== "timeout") {
        t.untestable(`${nameOf(sample)}: ${silence.message} : see C02`);
      }
    }
  },
});
