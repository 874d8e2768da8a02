import { defineCase } from "../../engine/case.ts";
import { nameOf } from "../alone.ts";
import { executeReading, shown } from "../prerequisites.ts";

export const neverRunning = defineCase({
  id: "Q01",
  slug: "seq/never-running",
  profile: "sequential",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-RUN-01"],
  needs: ["sample"],
  holds: "Methods that are declared sequential answer `complete` or `failed`",
  consequence: "Callers that rely on the declaration take the task for ended, and never ask for its output.",
  fix: "Declare the method concurrent, or answer when its work has ended.",
  async run(t) {
    for (const sample of t.samples()) {
      const execute = await t.execute(sample);
      const { status } = executeReading(t, execute);
      t.check(status !== "running", "E_SEQUENTIAL_RUNNING", {
        expected: `complete or failed for ${nameOf(sample)}`,
        found: execute.reply === undefined ? "" : shown(execute.reply),
        at: execute,
      });
    }
  },
});
