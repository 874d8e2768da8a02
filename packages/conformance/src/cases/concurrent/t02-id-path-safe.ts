import { isHandle } from "@aieffect/control-interface";
import { defineCase } from "../../engine/case.ts";
import { readAs } from "../../engine/drive.ts";
import { watchOf } from "./watch.ts";

export const idPathSafe = defineCase({
  id: "T02",
  slug: "conc/id-path-safe",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-08"],
  needs: ["slow"],
  holds:
    "Every handle survives being pasted into a path: 1 to 256 characters out of A-Z a-z 0-9 _ . : -, and neither `.` nor `..`",
  consequence:
    "The orchestrator pastes the handle into the path as it is: with a slash, a question mark or two dots in it the polls go to another path, and the task is failed or never found.",
  fix: "Make the handle yourself, as a UUID for example; do not build it from texts that others chose.",
  async run(t) {
    await watchOf(t);
    for (const exchange of t.history.exchanges) {
      if (exchange.kind !== "execute") continue;
      const reading = readAs(exchange, "execute");
      // No handle at all is T01's business.
      if (reading?.status !== "running" || !reading.task_id) continue;
      t.require(isHandle(reading.task_id), "E_HANDLE_UNSAFE", {
        expected: "1 to 256 characters out of A-Z a-z 0-9 _ . : -, and neither . nor ..",
        found: JSON.stringify(reading.task_id.slice(0, 300)),
        at: exchange,
      });
    }
  },
});
