import { defineCase } from "../../engine/case.ts";
import { wordOf } from "./observe.ts";
import { seenOf } from "./watch.ts";

export const outputEarly = defineCase({
  id: "T10",
  slug: "conc/output-early",
  profile: "concurrent",
  level: "MUST",
  because: "data",
  rules: ["R-OUT-02", "R-GEN-04"],
  needs: ["slow"],
  holds: "The output of a task that still runs is refused with a 4xx, never answered and never a 5xx",
  consequence: "Whoever asks early takes an empty or half-made result for the whole.",
  fix: 'Answer 400 with {"detail":"Task not complete"} until the status is `complete`.',
  async run(t) {
    const { twin, early } = await seenOf(t);
    if (twin.handle === undefined)
      return t.untestable(`a second task at the same time could not be started: ${twin.problem}`);
    for (const { output, after } of early) {
      // Asked for too late: it may have ended in between.
      if (wordOf(after) !== "running") continue;
      const { status, body } = t.replied(output);
      const isRefused = status >= 400 && status < 500;
      t.require(isRefused, status >= 500 ? "E_SERVER_ERROR" : "E_OUTPUT_EARLY", {
        expected: "a 4xx for the output of a task that still runs",
        found: `${status}: ${body.toString().slice(0, 200)}`,
        at: [output, after],
      });
      t.check(isObject(body), "E_NOT_JSON", {
        level: "SHOULD",
        expected: 'a JSON body, as in {"detail":"Task not complete"}',
        found: body.toString().slice(0, 100) || "an empty body",
        at: output,
      });
    }
  },
});

function isObject(body: Buffer): boolean {
  try {
    const value = JSON.parse(body.toString());
    return value !== null && typeof value === "object";
  } catch {
    return false;
  }
}
