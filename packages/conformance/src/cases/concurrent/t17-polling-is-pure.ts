import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { begin, type Observation, observe, wordOf } from "./observe.ts";
import { seenOf } from "./watch.ts";

/** How it is polled: so long, so often, so many at once. */
const burst_ms = 5000;
const interval_ms = 20;
const inFlight = 16;

export const pollingIsPure = defineCase({
  id: "T17",
  slug: "conc/polling-is-pure",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-READ-01", "R-STAT-01", "R-LIMIT-01"],
  needs: ["slow"],
  holds:
    "50 polls a second for 5 s are answered with 200 and the status, and a task takes as long whether it is polled or not",
  consequence:
    "A single 429, 503 or 304 while polling fails the task in the orchestrator; work that only goes on when polled takes for ever at one poll every 5 s.",
  fix: "Let status only read: no rate limit, no 304, no work. Do the work in the background.",
  stochastic: true,
  turn: "late",
  async run(t) {
    const { seen } = await seenOf(t);
    const { sample } = seen;
    const busy = await begin(t, sample);
    if (busy.handle === undefined) return t.untestable(busy.problem);
    const alone = await begin(t, sample);
    const began = performance.now();
    const polls: Exchange[] = [];
    const waiting = new Set<Promise<unknown>>();
    for (let sent = 0; sent < burst_ms / interval_ms; sent++) {
      if (waiting.size >= inFlight) await Promise.race(waiting);
      const poll = t.status(busy.handle).then((exchange) => polls.push(exchange));
      waiting.add(poll);
      poll.finally(() => waiting.delete(poll));
      await t.pause(interval_ms);
    }
    await Promise.all(waiting);
    for (const poll of polls) {
      const { status } = t.replied(poll);
      if (status === 404) return t.untestable("the task is not known: see T04 and T14");
      t.require(status === 200 || (status > 200 && status < 300), "E_POLL_REFUSED", {
        expected: "200 to every poll",
        found: `${status}`,
        at: poll,
      });
    }

    if (alone.handle === undefined || seen.ended === undefined) return;
    const usual_ms = seen.took_ms;
    const once = await leaveAlone(t, sample, alone, began, usual_ms);
    // Durations vary: what happened once is looked for again.
    const next = once === undefined ? undefined : await begin(t, sample);
    const twice =
      next?.handle === undefined ? undefined : await leaveAlone(t, sample, next, performance.now(), usual_ms);
    t.check(twice === undefined, "E_POLL_DRIVES_WORK", {
      expected: `a task that is left alone to end in about ${Math.round(usual_ms)} ms, as one that is polled`,
      found: `it still ran after ${Math.round(twice?.left_ms ?? 0)} ms, and ended ${Math.round(twice?.took_ms ?? 0)} ms after polling began`,
      at: [next?.execute, ...(twice?.polls.slice(-2) ?? [])],
    });
  },
});

/** Does not poll a task for far longer than it takes; what was seen where only polls made it end. */
async function leaveAlone(
  t: CaseContext,
  sample: Sample,
  begun: { execute: Exchange; handle: string },
  began: number,
  usual_ms: number,
): Promise<(Observation & { left_ms: number }) | undefined> {
  const hasEnded = async () => {
    const word = wordOf(await t.status(begun.handle));
    return word === "complete" || word === "failed";
  };
  // Two looks are two polls; the second allows for a queue.
  for (const wait_ms of [2 * usual_ms, 4 * usual_ms + t.scaled(1000)]) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + wait_ms - performance.now())));
    if (await hasEnded()) return undefined;
  }
  const left_ms = performance.now() - began;
  const seen = await observe(t, sample, begun, { interval_ms: t.scaled(interval_ms) });
  if (seen.ended === undefined) return t.untestable(`a task ended ${seen.end}: see T07`);
  // One that only takes so long would hardly end so soon, twice.
  return seen.took_ms < left_ms / 2 ? { ...seen, left_ms } : undefined;
}
