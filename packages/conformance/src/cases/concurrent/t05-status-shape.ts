import { defineCase } from "../../engine/case.ts";
import { judge } from "../../engine/drive.ts";
import { codeOfRefusal } from "../codes-of-refusals.ts";
import { failureOf, seenOf } from "./watch.ts";

export const statusShape = defineCase({
  id: "T05",
  slug: "conc/status-shape",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-STAT-01", "R-STAT-02", "R-STAT-03", "R-READ-05", "R-READ-06", "R-READ-07"],
  needs: ["slow"],
  holds:
    "Every answer to status is one that the deployed orchestrator reads: one of the three words, a progress that is an integer, an error that is a text or null",
  consequence:
    "One fractional progress, or one word of your own, and the orchestrator fails a task that works well.",
  fix: 'Answer {"status":"running","progress":42,"error":null}; round progress to an integer.',
  async run(t) {
    const { seen } = await seenOf(t);
    const failure = await failureOf(t);
    for (const poll of [...seen.polls, ...(failure?.seen?.polls ?? [])]) {
      // A poll that is refused is T04's and T17's business.
      if (poll.reply === undefined || poll.reply.status >= 400) continue;
      const verdict = judge(poll, "status");
      t.require(verdict?.accepted === true, codeOfRefusal(poll, verdict), {
        expected: "a status that the orchestrator takes",
        found: verdict?.why ?? "nothing",
        at: poll,
      });
    }
  },
});
