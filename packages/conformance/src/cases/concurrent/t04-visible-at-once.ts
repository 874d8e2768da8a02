import { defineCase } from "../../engine/case.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { begin, longestOf } from "./observe.ts";
import { seenOf } from "./watch.ts";

/** So many more tasks are looked at. */
const more = 5;
/** With a service that takes its time there are fewer. */
const enough_ms = 5000;

export const visibleAtOnce = defineCase({
  id: "T04",
  slug: "conc/visible-at-once",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-STAT-01", "R-READ-01"],
  needs: ["slow"],
  holds:
    "A task is known from the moment its handle was told: the first status, on another connection, is no 404",
  consequence:
    "The orchestrator takes the 404 of its first poll for a failed task, although the work goes on.",
  fix: "Register the task before answering `running`, not in the background; where several processes serve, let them share their tasks.",
  stochastic: true,
  async run(t) {
    const isKnown = (execute: Exchange, status: Exchange) => {
      const reply = t.replied(status);
      const code = reply.status === 404 ? "E_NOT_VISIBLE" : "E_UNEXPECTED_STATUS";
      t.require(reply.status < 400, reply.status >= 500 ? "E_SERVER_ERROR" : code, {
        expected: "200 for a handle that was just told",
        found: `${reply.status}`,
        at: [execute, status],
      });
    };
    const { execute, first } = await seenOf(t);
    isKnown(execute, first);
    const sample = t.sample();
    const until = performance.now() + t.scaled(enough_ms);
    for (let again = 0; again < more && performance.now() < until; again++) {
      const begun = await begin(t, sample);
      if (begun.handle === undefined) return;
      isKnown(begun.execute, await t.status(begun.handle, { fresh: true }));
      // The next one finds the service at rest.
      await t.follow(sample, begun.execute, { max_duration_ms: longestOf(t, sample) });
    }
  },
});
