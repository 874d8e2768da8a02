import { defineCase } from "../../engine/case.ts";
import { judgeOutputs, outputsOf, protocolOf } from "./outputs.ts";

export const inlineBase64 = defineCase({
  id: "D03",
  slug: "data/inline-base64",
  profile: "data-plane",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-REF-04"],
  needs: ["sample"],
  holds:
    "The uri of an inline output is base64 with the standard alphabet, padded, without line breaks, and not empty",
  consequence: 'The orchestrator answers "Invalid response" and fails the task.',
  fix: "Python: base64.b64encode(data).decode(), not urlsafe_b64encode, encodebytes or the JSON itself. An empty result is better `null`, or a payload that says so.",
  async run(t) {
    const inline = (await outputsOf(t)).filter(({ raw }) => protocolOf(raw) === "inline");
    if (inline.length === 0) t.notApplicable("no sample's output is inline");
    judgeOutputs(t, inline, ({ rule }) =>
      rule === "R-REF-04" || rule === "R-REF-03" ? "E_BASE64" : undefined,
    );
  },
});
