import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuzzedRequests, invalidity } from "./requests.ts";

const template = { method: "Echo", workflow_id: "w", task_id: "t", inputs: [], parameters: { k: 1 } };

describe("fuzzed requests", () => {
  const samples = fc.sample(fuzzedRequests(fc, template, "None"), { seed: 1, numRuns: 2000 });

  it("are valid in part, and wrong in every way there is", () => {
    const reasons = new Set(samples.map((request) => invalidity(request) ?? "valid"));
    expect([...reasons].sort()).toEqual([
      "inputs is no list",
      "method is empty",
      "method is missing",
      "method is no text",
      "parameters is no object",
      "task_id is empty",
      "task_id is missing",
      "task_id is no text",
      "valid",
      "workflow_id is empty",
      "workflow_id is missing",
      "workflow_id is no text",
    ]);
  });

  it("seldom ask for what is really carried out", () => {
    const real = samples.filter((request) => request.method === "Echo" && invalidity(request) === undefined);
    expect(real.length).toBeGreaterThan(0);
    expect(real.length / samples.length).toBeLessThan(0.2);
  });

  it("are JSON that says what was generated", () => {
    for (const request of samples) expect(typeof JSON.stringify(request)).toBe("string");
  });
});

describe("what is not valid", () => {
  it("is judged by the request alone", () => {
    expect(invalidity(template)).toBeUndefined();
    expect(invalidity({ ...template, inputs: null, parameters: null })).toBeUndefined();
    expect(invalidity({ ...template, extra: -1 })).toBeUndefined();
    expect(invalidity({ ...template, parameters: [] })).toBe("parameters is no object");
    expect(invalidity({})).toBe("method is missing");
  });
});
