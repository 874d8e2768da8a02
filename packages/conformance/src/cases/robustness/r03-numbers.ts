import { defineCase } from "../../engine/case.ts";
import { lightSample, plainRequest, post, requireAlive, withRaw, withstoodExecute } from "./probe.ts";

const numbers = {
  "an integer of 5,000 digits": "9".repeat(5000),
  "a negative integer of 5,000 digits": `-${"9".repeat(5000)}`,
  "1e400": "1e400",
  "1e-400": "1e-400",
  NaN: "NaN",
  Infinity: "Infinity",
  "-Infinity": "-Infinity",
  "-0": "-0",
} as const;

export const numbersCase = defineCase({
  id: "R03",
  slug: "rob/numbers",
  profile: "robustness",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-11", "R-EXEC-12"],
  needs: [],
  holds: "Numbers beyond what machines count with, and NaN and Infinity, give no 5xx",
  consequence:
    "A measurement that is NaN, as Python writes it, fails the workflow with an error that names nothing.",
  fix: "Answer 422 to numbers that cannot be read, and replace NaN and Infinity by null before writing JSON.",
  async run(t) {
    const sample = lightSample(t);
    for (const [name, json] of Object.entries(numbers)) {
      const reference = { protocol: "inline", uri: "e30=", format: "json", size_bytes: "NUMBER" };
      const places = {
        parameters: plainRequest(t, { parameters: { x: "NUMBER", list: ["NUMBER"] } }),
        "an input's size_bytes": plainRequest(t, { inputs: [reference] }),
        task_id: plainRequest(t, { task_id: "NUMBER" }),
        "an unknown member": plainRequest(t, { conformance: "NUMBER" }),
      };
      for (const [place, request] of Object.entries(places)) {
        await withstoodExecute(t, await post(t, withRaw(request, { NUMBER: json })), `${name} in ${place}`);
      }
    }
    if (sample !== undefined) {
      for (const name of ["an integer of 5,000 digits", "NaN"] as const) {
        const parameters = { ...sample.parameters, conformance: "NUMBER" };
        const body = withRaw({ ...t.requestOf(sample), parameters }, { NUMBER: numbers[name] });
        await withstoodExecute(t, await post(t, body), `${name} in a sample's parameters`);
      }
    }
    await requireAlive(t, "odd numbers");
  },
});
