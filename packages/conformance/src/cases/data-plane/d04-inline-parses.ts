import { defineCase } from "../../engine/case.ts";
import { nameOf } from "../alone.ts";
import { outputsOf } from "./outputs.ts";
import { whyNotFormat } from "./why-not-format.ts";

export const inlineParses = defineCase({
  id: "D04",
  slug: "data/inline-parses",
  profile: "data-plane",
  level: "SHOULD",
  because: "data",
  rules: ["R-REF-04", "R-REF-10"],
  needs: ["sample"],
  holds: "An output that can be read is of the format that its reference names",
  consequence: "The next service of the workflow cannot read its input, and is blamed for it.",
  fix: "Write what you name: JSON with json.dumps, not str(); CSV as text with a header line.",
  async run(t) {
    const outputs = await outputsOf(t);
    // There the format is the name of a method.
    const readable = outputs.filter(({ reference }) => reference?.protocol !== "grpc");
    if (readable.length === 0) t.notApplicable("every output is behind gRPC (see D10)");
    for (const { sample, reference, exchange } of readable) {
      if (reference === undefined) continue;
      const { bytes } = await t.payload(reference);
      // What cannot be read is the business of D06 and D09.
      if (bytes === undefined) continue;
      const problem = whyNotFormat(bytes, reference.format);
      t.check(problem === undefined, "E_PAYLOAD_FORMAT", {
        expected: `the output of ${nameOf(sample)} to be ${reference.format}`,
        found: `${problem}: ${JSON.stringify(bytes.toString().slice(0, 80))}`,
        at: exchange,
      });
    }
  },
});
