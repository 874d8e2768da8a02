import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { cap_s, start, stateOf, tookOf, waitFor } from "./wait.ts";

/** So many callers wait at once. */
const waiters = 200;
/** What impatient clients and proxies allow. */
const most_s = 30;
const health_ms = 2000;

export const waitBounded = defineCase({
  id: "X03",
  slug: "ext/wait-bounded",
  profile: "extensions",
  level: "MUST",
  because: "data",
  rules: ["R-WAIT-01", "R-WAIT-04"],
  needs: ["slow"],
  extension: "wait",
  holds:
    "However long a caller asks to wait, it is answered within 25 s; 200 that wait keep nobody else from an answer, and one that goes away is forgotten",
  consequence:
    "Proxies and clients give up on calls that are held for longer; waiters that pile up keep the service from answering its orchestrator.",
  fix: "Wait for the smaller of n and 25 s, on an event and not in a thread, and end the wait when the connection closes.",
  timing: true,
  destructive: true,
  async run(t) {
    const sample = t.slow();
    await withoutHaste(t, sample);
    await amongMany(t, sample);
    await theCap(t);
  },
});

/** A number that is far too large is no number that is not there. */
async function withoutHaste(t: CaseContext, sample: Sample): Promise<void> {
  const { handle } = await start(t, sample);
  const before = await t.status(handle);
  // More than a timer of 32 bits can hold.
  const seconds = 9_999_999;
  const waited = await waitFor(t, handle, seconds, { timeout_ms: limit(t) });
  isBounded(t, waited, seconds);
  // A number that it finds too large it may ignore, but then it does not say otherwise.
  const isApplied = waited.reply?.headers["preference-applied"] !== undefined;
  if (!isApplied || stateOf(before)?.startsWith("running") !== true) return;
  t.require(stateOf(waited) !== stateOf(before) || tookOf(waited) > t.scaled(1000), "E_WAIT_EARLY", {
    expected: "an answer when the task changes",
    found: `the same status after ${Math.round(tookOf(waited))} ms`,
    at: [before, waited],
  });
}

async function amongMany(t: CaseContext, sample: Sample): Promise<void> {
  for (const round of [1, 2]) {
    const { handle } = await start(t, sample);
    const leave = new AbortController();
    const call = { fresh: true, signal: leave.signal, timeout_ms: limit(t) };
    const all = Array.from({ length: waiters }, () => waitFor(t, handle, 20, call));
    const health = await t.timed(
      health_ms,
      "E_STARVED",
      (took) => ({
        expected: `/health within ${health_ms} ms while ${waiters} callers wait`,
        found: `${round === 1 ? "an answer" : "an answer, after as many went away,"} after ${Math.round(took)} ms`,
      }),
      () => t.send({ path: "/health", token: null, fresh: true, timeout_ms: 5 * health_ms }),
    );
    t.replied(health);
    leave.abort();
    await Promise.all(all);
  }
  const { handle } = await start(t, sample);
  const after = await waitFor(t, handle, 20, { fresh: true, timeout_ms: limit(t) });
  const found = after.reply === undefined ? after.silence?.message : `${after.reply.status}`;
  t.require(after.reply?.status === 200, "E_WAITER_LEAK", {
    expected: `a caller to be let wait after ${2 * waiters} others went away`,
    found: found ?? "nothing",
    at: after,
  });
}

/** Only a task that does not change for longer shows the cap itself. */
async function theCap(t: CaseContext): Promise<void> {
  const sample = t.lasting();
  if (sample === undefined) {
    t.note(`the cap of ${cap_s} s itself is tested with a sample that has expect-at-least: 40s`);
    return;
  }
  const { handle } = await start(t, sample);
  isBounded(t, await waitFor(t, handle, 3600, { timeout_ms: limit(t) }), 3600);
  if (t.operations?.extensions.includes("cancel")) {
    await t.send({ method: "POST", path: `/control/cancel/${handle}` });
  }
}

/** A held call is given up so late. */
const limit = (t: CaseContext) => t.scaled(most_s * 1000) + 500;

function isBounded(t: CaseContext, waited: Exchange, seconds: number): void {
  t.require(waited.silence?.kind !== "timeout", "E_WAIT_UNBOUNDED", {
    expected: `an answer after ${cap_s} s at the latest, also to wait=${seconds}`,
    found: `none after ${Math.round(tookOf(waited))} ms`,
    at: waited,
  });
  t.replied(waited);
}
