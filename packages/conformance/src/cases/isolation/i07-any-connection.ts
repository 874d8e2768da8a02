import { defineCase } from "../../engine/case.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { howManyAtOnce } from "../alone.ts";
import { isServed } from "../prerequisites.ts";

const connections = 40;

export const anyConnection = defineCase({
  id: "I07",
  slug: "iso/any-connection",
  profile: "isolation",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-STAT-01", "R-OUT-01"],
  needs: ["slow"],
  holds: "A task is known on every connection: 40 new ones all see it, while it runs and when it is done",
  consequence:
    "With several processes that each remember their own tasks (uvicorn --workers 4, replicas behind one name) every poll is a lottery, and one 404 fails the task.",
  fix: "Run one process; or keep tasks and results in a store that all of them share.",
  stochastic: true,
  turn: "late",
  async run(t) {
    const slow = t.slow();
    const execute = await t.execute(slow);
    const handle = t.handleOf(execute);
    // T04 is about the very first moment.
    await t.pause(300);
    await judgeAll(() => t.status(handle, { fresh: true }));
    const run = await t.follow(slow, execute);
    // It ran to its end where it is known; if not, T07 and T09 say so.
    if (run.end === "complete") {
      await judgeAll(() => t.output(handle, { fresh: true }), howManyAtOnce(connections, [run.output_call]));
    }

    async function judgeAll(ask: () => Promise<Exchange>, count = connections): Promise<void> {
      const all = await Promise.all(Array.from({ length: count }, ask));
      const replies = all.map((exchange) => t.replied(exchange));
      if (!all.some(isServed)) {
        t.untestable(`${handle} is known nowhere: ${replies[0]?.status} (see T04, T09)`);
      }
      const strange = all.filter((exchange) => !isServed(exchange));
      t.require(strange.length === 0, "E_NOT_SHARED", {
        expected: `200 on all of ${count} new connections for ${handle}`,
        found: `${strange[0]?.reply?.status} on ${strange.length} of them`,
        at: [execute, strange[0]],
      });
    }
  },
});
