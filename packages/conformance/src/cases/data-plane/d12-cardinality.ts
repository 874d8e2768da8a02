import { defineCase } from "../../engine/case.ts";
import { allPairs } from "../alone.ts";
import { type Input, inputsOf } from "./inputs.ts";

const small: Input = {
  protocol: "inline",
  uri: Buffer.from("{}").toString("base64"),
  format: "json",
  schema_uri: null,
  size_bytes: null,
  checksum: null,
  metadata: {},
};

export const cardinality = defineCase({
  id: "D12",
  slug: "data/cardinality",
  profile: "data-plane",
  level: "SHOULD",
  because: "practice",
  rules: ["R-EXEC-02", "R-EXEC-11"],
  needs: ["sample"],
  holds: "No input, one, or two in either order are answered, if only with failed or 422; never with a 5xx",
  consequence:
    'Somebody who connects one edge too many in the pipeline reads "Internal Server Error", and nothing about inputs.',
  fix: "Look at how many inputs there are before taking inputs[0]; answer failed with how many are expected.",
  async run(t) {
    for (const sample of t.samples()) {
      const [first = small] = inputsOf(t, sample);
      const other = allPairs(t).find(([a]) => a.method === sample.method)?.[sample.name === "a" ? 1 : 0];
      const [second = small] = other === undefined ? [] : inputsOf(t, other);
      for (const inputs of [[], [first], [first, second], [second, first]]) {
        const exchange = await t.execute(sample, { override: { inputs } });
        const { status } = t.replied(exchange);
        t.check(status < 500, "E_SERVER_ERROR", {
          expected: `no 5xx from ${sample.method} with ${inputs.length} inputs`,
          found: `${status}`,
          at: exchange,
        });
      }
    }
  },
});
