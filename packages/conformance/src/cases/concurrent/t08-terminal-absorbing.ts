import { defineCase } from "../../engine/case.ts";
import { readAs } from "../../engine/drive.ts";
import { begin, observe, wordOf } from "./observe.ts";
import { seenOf } from "./watch.ts";

/** So many polls before the output is read, and as many after. */
const polls = 10;

export const terminalAbsorbing = defineCase({
  id: "T08",
  slug: "conc/terminal-absorbing",
  profile: "concurrent",
  level: "MUST",
  because: "data",
  rules: ["R-STAT-05"],
  needs: ["slow"],
  holds:
    "A task that ended stays as it ended: 20 polls over 3 s, before and after its output is read, say the same",
  consequence:
    "The orchestrator, its dashboard and the next service read different ends of one task; a workflow that was complete fails, or never ends.",
  fix: "Write `complete` or `failed` once and refuse every later change; do not tie the state to who has read what.",
  turn: "late",
  async run(t) {
    const { seen, twin } = await seenOf(t);
    const begun = twin.handle === undefined ? await begin(t, seen.sample) : twin;
    if (begun.handle === undefined) return t.untestable(begun.problem);
    const { handle } = begun;
    const { end, ended } = await observe(t, seen.sample, begun);
    if (ended === undefined)
      return t.untestable(`the task ended ${end}: see ${end === "lost" ? "T04 and T14" : "T07"}`);
    const first = readAs(ended, "status");
    const pollSome = async (when: string) => {
      for (let again = 0; again < polls; again++) {
        await t.pause(150);
        const poll = await t.status(handle);
        t.replied(poll);
        const word = wordOf(poll);
        // Gone is T14's business, unread is T05's.
        if (word === undefined || word === "") continue;
        const reading = readAs(poll, "status");
        t.require(word === end && (reading === undefined || reading.error === first?.error), "E_REGRESSED", {
          expected: `${end} for ever${first?.error ? `, with the error ${JSON.stringify(first.error)}` : ""}`,
          found: `${word}${reading?.error ? `, with the error ${JSON.stringify(reading.error)}` : ""} ${when}`,
          at: [ended, poll],
        });
      }
    };
    await pollSome("before its output was read");
    await t.output(handle);
    await pollSome("after its output was read");
  },
});
