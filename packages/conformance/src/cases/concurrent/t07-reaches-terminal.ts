import { defineCase } from "../../engine/case.ts";
import { seenOf } from "./watch.ts";

export const reachesTerminal = defineCase({
  id: "T07",
  slug: "conc/reaches-terminal",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-RUN-02", "R-READ-11"],
  needs: ["slow"],
  holds: "A task ends, as `complete` or `failed`, within the time that the manifest gives it",
  consequence: "The orchestrator polls without end; the workflow never finishes.",
  fix: "Set the task to `complete` or `failed` when its work ends, however it ends. If it only takes longer, say max-duration for the method.",
  timing: true,
  async run(t) {
    const { seen } = await seenOf(t);
    if (seen.end === "lost") return t.untestable("its status could not be read: see T04");
    t.require(seen.end !== "stuck", "E_STUCK", {
      expected: `complete or failed within ${seen.sample.max_duration_ms} ms (max-duration of ${seen.sample.method})`,
      found: `running after ${Math.round(seen.took_ms)} ms`,
      at: [seen.execute, seen.polls.at(-1)],
    });
  },
});
