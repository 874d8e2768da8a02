import { setMaxListeners } from "node:events";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { isServed } from "../prerequisites.ts";
import { cap_s, start, stateOf, tookOf, waitFor } from "./wait.ts";

/** So many callers wait at once. */
const waiters = 200;
/** What impatient clients and proxies allow. */
const most_s = 30;
const health_ms = 2000;
/** More than a timer of 32 bits can hold. */
const forEver_s = 9_999_999;

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
  turn: "late",
  async run(t) {
    const slow = t.slow();
    // Only a task that does not change for longer shows the cap itself, and holds all that wait.
    const lasting = t.lasting();
    if (lasting === undefined) {
      t.note(`the cap of ${cap_s} s itself is tested with a sample that has expect-at-least: 40s`);
    }
    const { handle } = await start(t, lasting ?? slow);
    const before = await t.status(handle);
    const longest = waitFor(t, handle, forEver_s, { fresh: true, timeout_ms: limit(t) });
    const early = await Promise.race([longest, t.pause(500)]);
    if (early !== undefined) isNotHasty(t, before, early);
    await amongMany(t, lasting ?? slow);
    const waited = await longest;
    if (tookOf(waited) < t.scaled(cap_s * 500)) isNotHasty(t, before, waited);
    t.require(waited.silence?.kind !== "timeout", "E_WAIT_UNBOUNDED", {
      expected: `an answer after ${cap_s} s at the latest, also to wait=${forEver_s}`,
      found: `none after ${Math.round(tookOf(waited))} ms`,
      at: waited,
    });
    t.replied(waited);
    await isStillServed(t, slow);
    await release(t, handle);
  },
});

/** A number that is far too large is no number that is not there. */
function isNotHasty(t: CaseContext, before: Exchange, waited: Exchange): void {
  // What it finds too large it may ignore, but then it does not say otherwise.
  const isApplied = waited.reply?.headers["preference-applied"] !== undefined;
  const isRunning = stateOf(before)?.startsWith("running") ?? false;
  t.require(!isApplied || !isRunning || stateOf(waited) !== stateOf(before), "E_WAIT_EARLY", {
    expected: `an answer when the task changes, or after ${cap_s} s`,
    found: `the same status after ${Math.round(tookOf(waited))} ms`,
    at: [before, waited],
  });
}

/** Many callers wait, and go away without having been answered; twice, and more often where /health was late. */
async function amongMany(t: CaseContext, sample: Sample): Promise<void> {
  let quick = 0;
  for (let round = 1; quick < 2; round++) {
    const { beside, without, count } = await holdMany(t, sample);
    if (isQuick(beside)) {
      quick++;
      continue;
    }
    // What happened once may be the machine's fault.
    if (round - quick < 2) continue;
    // On a busy one it is slow without them, too.
    if (4 * tookOf(without) > tookOf(beside)) {
      return t.untestable("/health is slow also while nobody waits: the machine is too busy, or see C01");
    }
    t.require(false, "E_STARVED", {
      expected: `/health within ${health_ms} ms while ${count} callers wait`,
      found: `${beside.reply?.status ?? "none"} after ${Math.round(tookOf(beside))} ms; ${Math.round(tookOf(without))} ms once they were gone`,
      at: [beside, without],
    });
  }
}

const isQuick = (health: Exchange) => health.reply !== undefined && tookOf(health) <= health_ms;

/** One round: /health while they wait, and, where it is late, once they are gone. */
async function holdMany(t: CaseContext, sample: Sample) {
  // The self-test has fewer, as it runs many services in one process.
  const count = Math.max(50, t.scaled(waiters));
  const { handle } = await start(t, sample);
  // Shorter than they wait, so that it is not answered once they are gone.
  const timeout_ms = Math.min(3 * health_ms, t.scaled(24_000));
  const health = () => t.send({ path: "/health", token: null, fresh: true, timeout_ms });
  const leave = new AbortController();
  setMaxListeners(0, leave.signal);
  const call = { fresh: true, signal: leave.signal, timeout_ms: limit(t) };
  const all = Array.from({ length: count }, () => waitFor(t, handle, forEver_s, call));
  // For them to arrive: before that nothing is held up, and the first answer is late for other reasons.
  await new Promise((resolve) => setTimeout(resolve, Math.max(t.scaled(500), 300)));
  const first = await health();
  const beside = first.reply === undefined ? first : await health();
  leave.abort();
  await Promise.all(all);
  const without = isQuick(beside) ? beside : await health();
  await release(t, handle);
  return { beside, without, count };
}

/** Ends a task that nobody needs any more, where that can be done. */
async function release(t: CaseContext, handle: string): Promise<void> {
  if (!t.operations?.extensions.includes("cancel")) return;
  await t.send({ method: "POST", path: `/control/cancel/${handle}` });
}

async function isStillServed(t: CaseContext, sample: Sample): Promise<void> {
  const { handle } = await start(t, sample);
  const after = await waitFor(t, handle, 20, { fresh: true, timeout_ms: limit(t) });
  const found = after.reply === undefined ? after.silence?.message : `${after.reply.status}`;
  t.require(isServed(after), "E_WAITER_LEAK", {
    expected: `a caller to be let wait after many others went away`,
    found: found ?? "nothing",
    at: after,
  });
}

/** A held call is given up so late. */
const limit = (t: CaseContext) => t.scaled(most_s * 1000) + 500;
