import { defineCase } from "../../engine/case.ts";
import { readAs } from "../../engine/drive.ts";
import type { SpawnedTarget } from "../../target/spawn.ts";
import { endOf, nameOf } from "../alone.ts";
import { startAgain } from "./start-again.ts";

/** Container engines kill after this time. */
const grace_ms = 10_000;

export const gracefulStop = defineCase({
  id: "I09",
  slug: "iso/graceful-stop",
  profile: "isolation",
  level: "SHOULD",
  because: "practice",
  rules: ["R-LOST-01"],
  needs: ["slow", "spawn"],
  holds:
    "Asked to stop (SIGTERM), the service ends within 10 s, and a task that was running is seen to complete or to fail",
  consequence:
    "Every update of the service loses what it works on, although a second more would have been enough; or the container engine waits 10 s and kills it.",
  fix: "On SIGTERM take nothing new, go on answering status and output until running tasks have ended, and exit; what does not end in time is failed.",
  turn: "late",
  async run(t) {
    const slow = t.slow();
    const spawned = t.spawned as SpawnedTarget;
    const execute = await t.execute(slow);
    const handle = t.handleOf(execute);
    // However much the rest is hurried, a process takes its time to end.
    const allowed_ms = Math.max(t.scaled(grace_ms), 3000);
    const [stopped, during] = await Promise.all([
      spawned.stop("SIGTERM", allowed_ms),
      t.follow(slow, execute, { max_duration_ms: allowed_ms }),
    ]);
    await startAgain(t, spawned);
    t.check(stopped !== undefined, "E_STOP_IGNORED", {
      expected: `the service to end within ${allowed_ms} ms of SIGTERM`,
      found: "it went on",
      at: execute,
    });
    if (during.end === "complete" || during.end === "failed") return;
    // Nobody answered any more; then the next process has to know.
    const after = await t.status(handle, { fresh: true });
    const word = readAs(after, "status")?.status;
    // One that had to be killed is judged for that, above.
    t.check(stopped === undefined || word === "complete" || word === "failed", "E_TASK_DROPPED", {
      expected: `${nameOf(slow)} to be seen complete or failed, before the service ends or after it is started again`,
      found: `${endOf(during)}; after the next start: ${word ?? after.reply?.status ?? after.silence?.message}`,
      at: [execute, during.last, after],
    });
  },
});
