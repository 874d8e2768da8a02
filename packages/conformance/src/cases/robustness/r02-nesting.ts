import { defineCase } from "../../engine/case.ts";
import { lightSample, plainRequest, post, requireAlive, withRaw, withstoodExecute } from "./probe.ts";

const levels = 100_000;
const lists = "[".repeat(levels) + "]".repeat(levels);
const objects = `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

export const nesting = defineCase({
  id: "R02",
  slug: "rob/nesting",
  profile: "robustness",
  level: "MUST",
  because: "security",
  rules: ["R-EXEC-11", "R-EXEC-12"],
  needs: [],
  holds: "JSON of 100,000 levels is refused or read, and the service lives on",
  consequence: "One request of 200 KB ends the process and with it every task of every workflow.",
  fix: "Catch the error that a JSON parser throws when it is too deep (RecursionError, stack overflow) and answer 422; walk through parameters without recursion.",
  async run(t) {
    const sample = lightSample(t);
    const nested = (request: Record<string, unknown>, json: string) =>
      withRaw({ ...request, parameters: { deep: "NESTED" } }, { NESTED: json });
    const bodies: [string, string][] = [
      ["lists in parameters", nested(plainRequest(t), lists)],
      ["objects in parameters", nested(plainRequest(t), objects)],
      ["lists instead of inputs", withRaw(plainRequest(t, { inputs: "NESTED" }), { NESTED: lists })],
      ["lists as the body", lists],
      ["lists that do not end", "[".repeat(levels)],
      ...(sample
        ? [["lists in a sample's parameters", nested(t.requestOf(sample), lists)] as [string, string]]
        : []),
    ];
    for (const [what, body] of bodies) {
      const exchange = await post(t, body);
      if (exchange.silence?.kind !== "timeout") await requireAlive(t, `100,000 levels of ${what}`, exchange);
      await withstoodExecute(t, exchange, `100,000 levels of ${what}`);
    }
  },
});
