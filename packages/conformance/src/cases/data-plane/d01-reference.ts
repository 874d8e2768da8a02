import { defineCase } from "../../engine/case.ts";
import { judgeOutputs, outputsOf, protocolOf } from "./outputs.ts";

/** What D02, D03 and D11 are about. */
const others = ["R-REF-04", "R-REF-10", "R-REF-12", "R-REF-13"];

export const reference = defineCase({
  id: "D01",
  slug: "data/reference",
  profile: "data-plane",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-REF-01", "R-REF-02", "R-REF-03", "R-REF-05", "R-REF-06", "R-REF-07", "R-REF-08", "R-REF-14"],
  needs: ["sample"],
  holds: "The output names one of the nine protocols, and a uri that begins as that protocol's do",
  consequence:
    'The orchestrator answers "Invalid response" and fails the task, although the work is done and the result is there.',
  fix: 'Answer as in {"protocol":"http","uri":"http://host:8080/control/data/x","format":"csv"}; protocol in lower case, uri with the scheme that the protocol names, metadata an object or not there.',
  async run(t) {
    judgeOutputs(t, await outputsOf(t), ({ rule }, { raw }) => {
      const isInline = protocolOf(raw) === "inline";
      if (others.includes(rule) || (isInline && rule === "R-REF-03")) return undefined;
      if (rule === "R-REF-02") return "E_PROTOCOL_WORD";
      const isUri = /^R-REF-0[35678]$/.test(rule);
      return isUri ? "E_URI_PREFIX" : "E_REFERENCE_INVALID";
    });
  },
});
