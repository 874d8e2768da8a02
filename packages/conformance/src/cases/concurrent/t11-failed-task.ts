import { defineCase } from "../../engine/case.ts";
import { readAs } from "../../engine/drive.ts";
import { failureOf } from "./watch.ts";

export const failedTask = defineCase({
  id: "T11",
  slug: "conc/failed-task",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-STAT-03", "R-OUT-02"],
  needs: ["failing", "slow"],
  holds: "A task that failed says `failed` with an error that is a text and not empty, and has no output",
  consequence:
    "Without a text the user of the workflow is told that something failed, and not what; with an output, somebody uses what is not a result.",
  fix: 'Answer {"status":"failed","error":"<what went wrong>"} for its status, and 400 {"detail":"Task not complete"} for its output.',
  async run(t) {
    const failure = await failureOf(t);
    const { seen, output } = failure ?? {};
    if (seen === undefined || seen.ended === undefined || seen.end !== "failed" || output === undefined) {
      return t.untestable(
        failure?.problem ??
          `the failing sample ended ${seen?.end}: ${seen?.end === "complete" ? "correct it" : "see T12"}`,
      );
    }
    const { ended } = seen;
    const reading = readAs(ended, "status");
    if (reading !== undefined) {
      t.check((reading.error ?? "").trim() !== "", "E_ERROR_EMPTY", {
        expected: "an error that says what went wrong",
        found: reading.error === undefined ? "none" : JSON.stringify(reading.error),
        at: ended,
      });
    }
    const { status, body } = t.replied(output);
    t.check(status >= 400 && status < 500, status >= 500 ? "E_SERVER_ERROR" : "E_OUTPUT_OF_FAILED", {
      expected: "a 4xx for the output of a task that failed",
      found: `${status}: ${body.toString().slice(0, 200)}`,
      at: [ended, output],
    });
  },
});
