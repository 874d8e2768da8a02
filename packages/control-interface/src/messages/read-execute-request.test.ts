import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { executeRequestSchema } from "./messages.ts";
import { readExecuteRequest } from "./read-execute-request.ts";

const least = { method: "Load", workflow_id: "wf", task_id: "t" };

describe("readExecuteRequest", () => {
  it("fills in defaults and ignores what it does not know", () => {
    expect(readExecuteRequest({ ...least, extra: 1 }).request).toEqual({
      ...least,
      inputs: [],
      parameters: {},
    });
  });

  it("objects to everything at once, as deployed services do", () => {
    const { issues } = readExecuteRequest({ method: 7, task_id: "", inputs: {}, parameters: [] });
    expect(issues).toEqual([
      { loc: ["body", "method"], msg: "Input should be a valid string", type: "string_type" },
      { loc: ["body", "workflow_id"], msg: "Field required", type: "missing" },
      { loc: ["body", "task_id"], msg: "String should have at least 1 character", type: "string_too_short" },
      { loc: ["body", "inputs"], msg: "Input should be a valid list", type: "list_type" },
      { loc: ["body", "parameters"], msg: "Input should be a valid dictionary", type: "dict_type" },
    ]);
  });

  it("says which input breaks which rule", () => {
    const inputs = [
      { protocol: "file", uri: "/a", format: "csv", metadata: null },
      { protocol: "ftp", uri: "ftp://x", format: "csv" },
      { protocol: "inline", uri: "e30", format: "json" },
      5,
    ];
    const { issues } = readExecuteRequest({ ...least, inputs });
    expect(issues.map(({ loc, msg }) => [loc.join("."), msg.match(/R-REF-\d\d/)?.[0]])).toEqual([
      ["body.inputs.1.protocol", "R-REF-02"],
      ["body.inputs.2", "R-REF-04"],
      ["body.inputs.3", "R-REF-01"],
    ]);
  });

  it("finds no field in the prototype, and pollutes nothing", () => {
    const body = JSON.parse('{"__proto__": {"method": "Load", "workflow_id": "w", "task_id": "t"}}');
    expect(readExecuteRequest(body).issues.map(({ type }) => type)).toEqual([
      "missing",
      "missing",
      "missing",
    ]);
    expect(({} as { method?: unknown }).method).toBeUndefined();
  });

  it("refuses what is nested deeper than anybody writes", () => {
    const parameters = JSON.parse(`${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`);
    expect(readExecuteRequest({ ...least, parameters }).issues).toMatchObject([{ type: "too_deep" }]);
  });

  it("agrees with the published schema for any body of plain types", () => {
    const values = fc.oneof(
      fc.string(),
      fc.constant(""),
      fc.integer(),
      fc.constant(null),
      fc.constant([]),
      fc.constant({}),
    );
    const bodies = fc.record(
      { method: values, workflow_id: values, task_id: values, inputs: values, parameters: values },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(bodies, (body) => {
        expect(readExecuteRequest(body).request).toEqual(executeRequestSchema.safeParse(body).data);
      }),
    );
  });
});
