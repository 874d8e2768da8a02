import { defineCase } from "../../engine/case.ts";
import { readAs } from "../../engine/drive.ts";
import { wordOf } from "./observe.ts";
import { isSameResult } from "./same-result.ts";
import { completeOf } from "./watch.ts";

/** So often both are read. */
const reads = 10;

export const rereadStable = defineCase({
  id: "T13",
  slug: "conc/reread-stable",
  profile: "concurrent",
  level: "MUST",
  because: "data",
  rules: ["R-STAT-05", "R-OUT-01"],
  needs: ["slow"],
  holds: "Status and output of a complete task can be read ten times and are the same every time",
  consequence:
    "A dashboard, a retry, or a second successor of the task gets another result than the first reader, or none.",
  fix: "Keep the result after it was read, and answer the reference that was made when the task ended.",
  async run(t) {
    const { seen } = await completeOf(t);
    if (readAs(seen.output, "output") === undefined)
      return t.untestable("its output cannot be read once: see T09");
    const { handle, ended, output: first, sample } = seen;
    for (let again = 0; again < reads; again++) {
      const status = await t.status(handle);
      if (t.replied(status).status === 404) return t.untestable("the task is not known any more: see T14");
      // A poll that is refused, or cannot be read, is the business of T17 and T05.
      const word = wordOf(status) || "complete";
      t.require(word === "complete", "E_REGRESSED", {
        expected: "complete, as before",
        found: word,
        at: [ended, status],
      });
      const output = await t.output(handle);
      const reply = t.replied(output);
      t.require(readAs(output, "output") !== undefined, "E_VANISHED", {
        expected: "the output again, as when it was read first",
        found: `${reply.status}: ${reply.body.toString().slice(0, 200)}`,
        at: [first, output],
      });
      t.require((await isSameResult(t, sample, first, output)) !== false, "E_RESULT_CHANGES", {
        expected: `the same result again: ${first.reply?.body.toString().slice(0, 200)}`,
        found: reply.body.toString().slice(0, 200),
        at: [first, output],
      });
    }
  },
});
