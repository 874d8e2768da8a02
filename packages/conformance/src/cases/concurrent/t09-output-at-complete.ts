import { defineCase } from "../../engine/case.ts";
import { judge } from "../../engine/drive.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { codeOfRefusal } from "../codes-of-refusals.ts";
import { begin, observe } from "./observe.ts";
import { completeOf } from "./watch.ts";

/** So many more tasks are looked at, polled without a pause worth the name. */
const more = 3;
/** With a service that takes its time there are fewer. */
const enough_ms = 5000;

export const outputAtComplete = defineCase({
  id: "T09",
  slug: "conc/output-at-complete",
  profile: "concurrent",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-OUT-01", "R-OUT-04", "R-READ-10"],
  needs: ["slow"],
  holds: 'The output is there from the first `complete` on: 200 with {"output":{...}}',
  consequence:
    "The orchestrator asks for the output right after the first `complete`, once: a 404, or a reference that is not wrapped, fails the task although its result exists.",
  fix: 'Store the output before the status says `complete`, and answer {"output":{"protocol":...,"uri":...,"format":...}}.',
  stochastic: true,
  async run(t) {
    const { seen } = await completeOf(t);
    const isThere = (ended: Exchange, output: Exchange) => {
      const reply = t.replied(output);
      const at = [ended, output];
      const notFound = reply.status >= 500 ? "E_SERVER_ERROR" : "E_OUTPUT_NOT_READY";
      t.require(reply.status < 400, notFound, {
        expected: "200 with the output, in the moment in which status says complete",
        found: `${reply.status}: ${reply.body.toString().slice(0, 200)}`,
        at,
      });
      const verdict = judge(output, "output");
      // What is wrong inside the reference is what the data plane's cases are about.
      const isInside = verdict?.fields?.every((field) => field.startsWith("output.")) ?? false;
      t.require(verdict?.accepted === true || isInside, codeOfRefusal(output, verdict), {
        expected: '{"output":{...}}',
        found: verdict?.why ?? "nothing",
        at,
      });
    };
    isThere(seen.ended, seen.output);
    const sample = t.sample();
    const until = performance.now() + t.scaled(enough_ms);
    for (let again = 0; again < more && performance.now() < until; again++) {
      const begun = await begin(t, sample);
      if (begun.handle === undefined) return;
      const { ended, output } = await observe(t, sample, begun, { interval_ms: t.scaled(20), output: true });
      if (ended !== undefined && output !== undefined) isThere(ended, output);
    }
  },
});
