import { defineCase } from "../../engine/case.ts";
import { judgeOutputs, outputsOf } from "./outputs.ts";

export const format = defineCase({
  id: "D02",
  slug: "data/format",
  profile: "data-plane",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-REF-10", "R-REF-11"],
  needs: ["sample"],
  holds: "The output's format is one of json, csv, parquet, protobuf, binary, xml; for grpc it is any text",
  consequence:
    'The orchestrator answers "Invalid response" and fails the task, for the sake of one word such as "text" or "png".',
  fix: "Name the nearest of the six words; what is none of them is binary, and what it really is goes into metadata.",
  async run(t) {
    judgeOutputs(t, await outputsOf(t), ({ rule }) => (rule === "R-REF-10" ? "E_FORMAT" : undefined));
  },
});
