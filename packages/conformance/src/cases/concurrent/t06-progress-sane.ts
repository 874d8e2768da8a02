import { defineCase } from "../../engine/case.ts";
import { readAs } from "../../engine/drive.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { seenOf } from "./watch.ts";

export const progressSane = defineCase({
  id: "T06",
  slug: "conc/progress-sane",
  profile: "concurrent",
  level: "SHOULD",
  because: "practice",
  rules: ["R-STAT-02"],
  needs: ["slow"],
  holds: "Progress lies between 0 and 100, never falls, and is 100 or absent once the task is complete",
  consequence: "People who look at the workflow are misled about how far it is.",
  fix: "Clamp progress to 0..100, keep the highest value, and report 100 with `complete`.",
  async run(t) {
    const { seen } = await seenOf(t);
    let before: { progress: number; poll: Exchange } | undefined;
    for (const poll of seen.polls) {
      const reading = readAs(poll, "status");
      // What cannot be read is T05's business.
      if (reading === undefined) continue;
      const { progress, status } = reading;
      if (progress === undefined) {
        t.check(true, "E_PROGRESS_RANGE", { expected: "no progress, or a good one", found: "none" });
        continue;
      }
      t.require(progress >= 0 && progress <= 100, "E_PROGRESS_RANGE", {
        expected: "progress from 0 to 100",
        found: `${progress}`,
        at: poll,
      });
      t.require(progress >= (before?.progress ?? 0), "E_PROGRESS_FALLS", {
        expected: `progress of at least ${before?.progress}, as before`,
        found: `${progress}`,
        at: [before?.poll, poll],
      });
      t.require(status !== "complete" || progress === 100, "E_PROGRESS_END", {
        expected: "100, or no progress, with complete",
        found: `${progress}`,
        at: poll,
      });
      before = { progress, poll };
    }
  },
});
