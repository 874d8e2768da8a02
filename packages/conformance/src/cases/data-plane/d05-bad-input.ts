import { defineCase } from "../../engine/case.ts";
import { type Input, judgeRefusal, samplesWithInputs, withFirstInput } from "./inputs.ts";

const bad: readonly (readonly [what: string, input: Input])[] = [
  ["inline with a uri that is no base64", { protocol: "inline", uri: "@@ no base64 @@" }],
  ["a protocol that there is not", { protocol: "pigeon", uri: "pigeon://roof/1" }],
  ["an empty uri", { uri: "" }],
  ["a blank uri", { uri: "   " }],
  // Port 1: who tries in spite of the prefix gets no answer.
  ["protocol http with a uri of ftp", { protocol: "http", uri: "ftp://127.0.0.1:1/x" }],
  ["protocol http with a path as uri", { protocol: "http", uri: "/no/scheme" }],
];

export const badInput = defineCase({
  id: "D05",
  slug: "data/bad-input",
  profile: "data-plane",
  level: "MUST",
  because: "data",
  rules: ["R-EXEC-11", "R-EXEC-12", "R-REF-02", "R-REF-03", "R-REF-04", "R-REF-05"],
  needs: ["sample"],
  holds:
    "A reference that cannot be read as input is refused with 4xx, or fails the task; it never completes",
  consequence:
    "A mistake upstream goes unnoticed: the workflow completes with a result that was made of nothing.",
  fix: "Check protocol, uri and base64 of every input before the work; answer 422, or failed with a text that names the input.",
  async run(t) {
    for (const sample of samplesWithInputs(t)) {
      const runs = await Promise.all(
        bad.map(([, input]) => t.run(sample, { override: withFirstInput(t, sample, input) })),
      );
      for (const [at, run] of runs.entries()) judgeRefusal(t, run, bad[at]?.[0] ?? "");
    }
  },
});
