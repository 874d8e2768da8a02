import { defineCase } from "../../engine/case.ts";
import { firstRegression } from "./status-order.ts";

export const statusOrder = defineCase({
  id: "W2",
  slug: "monitor/status-order",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-STAT-05", "R-IDEM-05"],
  needs: ["sample"],
  holds:
    "Over the whole run, whoever asked and over whichever connection: a handle's status is `running`, and then one of `complete` and `failed` for ever",
  consequence:
    "A workflow that was told complete sees its task run again, or fail, or finds another's result.",
  fix: "Give every execution a handle of its own, never change one that ended, and keep caches that know the call only by half away from status.",
  turn: "last",
  async run(t) {
    const { regression, handles } = firstRegression(t.history.exchanges);
    if (handles === 0) t.untestable("no status of a task was asked for in this run");
    const { before, after } = regression ?? {};
    t.check(regression === undefined, "E_REGRESSED", {
      expected: `the task to stay ${before?.status}`,
      found: `${after?.status} later`,
      at: [before?.exchange, after?.exchange],
    });
  },
});
