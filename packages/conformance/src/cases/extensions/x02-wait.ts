import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { judge, readAs } from "../../engine/drive.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { optional } from "../optional.ts";
import { prefer, start, stateOf, tookOf, waitFor } from "./wait.ts";

/** What is asked for: far longer than until the next change. */
const wait_s = 20;
/** So late a waiting caller may hear of a change that others see already. */
const late_ms = 1500;
/** A task is waited for so many times at most. */
const waits = 15;

export const wait = defineCase({
  id: "X02",
  slug: "ext/wait",
  profile: "extensions",
  level: "MUST",
  because: "data",
  rules: ["R-WAIT-01", "R-WAIT-02", "R-WAIT-03"],
  needs: ["slow"],
  extension: "wait",
  holds:
    "`Prefer: wait=n` on status is answered at the first change of status or progress, or after n seconds, and says so in Preference-Applied; on execute it lets a short task answer at once",
  consequence:
    "A caller that waits hears of the end late, or asks again and again at once and loads the service for nothing.",
  fix: "Hold the call until the task changes or the time is over; add Preference-Applied: wait=N.",
  timing: true,
  turn: "late",
  async run(t) {
    const { handle } = await start(t, t.slow());
    for (let count = 0; count < waits; count++) {
      const before = await t.status(handle);
      const word = readAs(before, "status")?.status;
      if (word === undefined) return t.untestable("its status cannot be read: see T05");
      if (word !== "running") break;
      const { waited, changed } = await waitBesidePolls(t, handle, before);
      const reply = t.replied(waited);
      const now = stateOf(waited);
      if (now === undefined) return t.untestable("an answer to a waiting call cannot be read: see T05");
      const took = tookOf(waited);
      // Less than asked for, and nothing has changed since before it was asked.
      const isEarly = now === stateOf(before) && took < 0.9 * t.scaled(wait_s * 1000);
      t.require(!isEarly, "E_WAIT_EARLY", {
        expected: `an answer when the task changes, or after ${wait_s} s`,
        found: `the same status after ${Math.round(took)} ms`,
        at: [before, waited],
      });
      const behind_ms = changed === undefined ? 0 : waited.ended_at - changed.ended_at;
      t.require(behind_ms < late_ms, "E_WAIT_LATE", {
        expected: "an answer as soon as the task changes",
        found: `one ${Math.round(behind_ms)} ms after another caller saw the change`,
        at: [before, changed, waited],
      });
      t.require(/\bwait\b/i.test(reply.headers["preference-applied"] ?? ""), "E_WAIT_NOT_APPLIED", {
        expected: `Preference-Applied: wait=${wait_s}`,
        found: reply.headers["preference-applied"] ?? "none",
        at: waited,
      });
    }
    await toItsEnd(t);
    await onExecute(t);
  },
});

/** While nothing changes a call is held as long as it asked for. */
async function toItsEnd(t: CaseContext): Promise<void> {
  const sample = t.lasting();
  if (sample === undefined) return;
  const { handle } = await start(t, sample);
  const seconds = 5;
  const before = await t.status(handle);
  const waited = await waitFor(t, handle, seconds);
  const took = tookOf(waited);
  t.replied(waited);
  t.require(stateOf(waited) !== stateOf(before) || took >= 0.9 * t.scaled(seconds * 1000), "E_WAIT_EARLY", {
    expected: `an answer after ${seconds} s, as nothing has changed`,
    found: `the same status after ${Math.round(took)} ms`,
    at: [before, waited],
  });
  if (t.operations?.extensions.includes("cancel")) {
    await t.send({ method: "POST", path: `/control/cancel/${handle}` });
  }
}

/** One call that waits, and plain polls beside it until it is answered; the first of them that saw a change. */
async function waitBesidePolls(t: CaseContext, handle: string, before: Exchange) {
  let answered = false;
  let changed: Exchange | undefined;
  const waiting = waitFor(t, handle, wait_s).finally(() => {
    answered = true;
  });
  while (!answered) {
    await new Promise((resolve) => setTimeout(resolve, t.settings.poll_interval_ms));
    if (changed !== undefined) continue;
    const poll = await t.status(handle);
    const state = stateOf(poll);
    if (state !== undefined && state !== stateOf(before)) changed = poll;
  }
  return { waited: await waiting, changed };
}

async function onExecute(t: CaseContext): Promise<void> {
  const sample = optional(() => t.samples().find(({ mode }) => mode === "concurrent"));
  if (sample === undefined) return;
  const execute = await t.execute(sample, { headers: prefer(wait_s) });
  t.replied(execute);
  const verdict = judge(execute, "execute");
  // What is wrong in the reply as such is what C05 is about.
  const status = verdict?.read_as?.status;
  if (status === undefined) return;
  t.check(status !== "running" || tookOf(execute) >= 0.9 * t.scaled(wait_s * 1000), "E_WAIT_EARLY", {
    level: "SHOULD",
    expected: `complete or failed, as the task ends within ${wait_s} s`,
    found: `running after ${Math.round(tookOf(execute))} ms`,
    at: execute,
  });
}
