import { defineCase } from "../../engine/case.ts";
import type { SpawnedTarget } from "../../target/spawn.ts";
import { endOf, nameOf } from "../alone.ts";
import { startAgain } from "./start-again.ts";

export const restartHonest = defineCase({
  id: "I08",
  slug: "iso/restart-honest",
  profile: "isolation",
  level: "SHOULD",
  because: "orchestrator",
  rules: ["R-LOST-01", "R-STAT-04"],
  needs: ["slow", "spawn"],
  holds:
    "A task that ran when its service was killed is unknown afterwards, or failed, or goes on to its end; it does not run for ever",
  consequence:
    "The orchestrator polls a task that nobody works on, every 5 s, without end; the workflow never ends.",
  fix: "Whoever keeps tasks over a restart sets those that were running to failed at start, or starts them again.",
  turn: "late",
  async run(t) {
    const slow = t.slow();
    const spawned = t.spawned as SpawnedTarget;
    const execute = await t.execute(slow);
    t.handleOf(execute);
    await spawned.stop("SIGKILL", 5000);
    await startAgain(t, spawned);
    const max_duration_ms = t.scaled(slow.max_duration_ms);
    // Old connections died with it.
    const run = await t.follow(slow, execute, { max_duration_ms, fresh: true });
    const { status } = t.replied(run.last);
    const isGone = status >= 400 && status < 500;
    t.check(run.end !== "stuck", "E_ZOMBIE", {
      expected: `${nameOf(slow)}, whose service was killed, to be 404, failed, or complete in the end`,
      found: `running, ${Math.round(max_duration_ms)} ms after the restart`,
      at: [execute, run.last],
    });
    t.check(["stuck", "failed", "complete"].includes(run.end) || isGone, "E_UNEXPECTED_STATUS", {
      expected: "404, failed, or complete after the restart",
      found: endOf(run),
      at: [execute, run.last],
    });
  },
});
