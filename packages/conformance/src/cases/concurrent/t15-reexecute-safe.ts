import { defineCase } from "../../engine/case.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { begin, longestOf, type Observation, observe, readBegun, wordOf } from "./observe.ts";
import { isSameResult } from "./same-result.ts";
import { seenOf } from "./watch.ts";

export const reexecuteSafe = defineCase({
  id: "T15",
  slug: "conc/reexecute-safe",
  profile: "concurrent",
  level: "MUST",
  because: "data",
  rules: ["R-RUN-04", "R-STAT-05", "R-EXEC-11"],
  needs: ["slow"],
  holds:
    "The same call again, while its task runs and after it ended, is no 5xx, and changes nothing that an earlier handle was told",
  consequence:
    "The deployed orchestrator sends the same ids whenever a pipeline runs again: a result that somebody still reads turns into `running`, or into another result.",
  fix: "Give every execution a handle and a record of its own; do not key it by the task_id of the request alone.",
  turn: "late",
  async run(t) {
    const { seen: watched } = await seenOf(t);
    const { sample } = watched;
    const isAnswered = (execute: Exchange, again: Exchange, when: string) => {
      const { status } = t.replied(again);
      t.require(status < 500, "E_SERVER_ERROR", {
        expected: `an answer below 500 to the same call again, ${when}`,
        found: `${status}`,
        at: [execute, again],
      });
    };
    const ids = { workflow_id: t.id("wf"), task_id: t.id("task") };
    const begun = await begin(t, sample, ids);
    if (begun.handle === undefined) return t.untestable(begun.problem);
    const again = await t.execute(sample, ids);
    isAnswered(begun.execute, again, "while the task runs");
    const second = readBegun(sample, again);

    const one = await observe(t, sample, begun, { output: true });
    if (one.ended === undefined) return t.untestable(`the task ended ${one.end}: see T07`);
    if (second.handle !== undefined && second.handle !== begun.handle) {
      // It writes no more than its own record, but that only shows once it has ended.
      await observe(t, sample, second, { longest_ms: longestOf(t, sample) });
    }
    await isUnchanged(one);

    const third = await t.execute(sample, ids);
    isAnswered(begun.execute, third, "after the task ended");
    for (let look = 0; look < 5; look++) {
      await isUnchanged(one);
      await t.pause(200);
    }

    async function isUnchanged({ handle, ended, output, end }: Observation) {
      const status = await t.status(handle);
      if (t.replied(status).status === 404) return t.untestable("the task is not known any more: see T14");
      t.require(wordOf(status) === end, "E_REGRESSED", {
        expected: `${end} under the handle of the first execution, as before`,
        found: wordOf(status) ?? `${status.reply?.status}`,
        at: [begun.execute, again, ended, status],
      });
      if (output === undefined) return;
      const now = await t.output(handle);
      const isSame = await isSameResult(t, sample, output, now);
      t.require(isSame !== false, "E_RESULT_CHANGES", {
        expected: `the first execution's result, as before: ${output.reply?.body.toString().slice(0, 200)}`,
        found: now.reply?.body.toString().slice(0, 200) ?? "nothing",
        at: [output, now],
      });
    }
  },
});
