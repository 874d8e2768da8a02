import { describe, expect, it } from "vitest";
import { catalogue } from "../cases/catalogue.ts";
import { judgeMutant, runAgainst, runAgainstSpawned } from "./judge-mutant.ts";
import { mutants } from "./mutants/index.ts";

describe("the pristine service", () => {
  it.each([
    ["open", {}],
    ["with a token", { token: "a-token-of-the-test" }],
    ["without extensions", { extensions: [], self_description: false }],
  ])("%s, passes every case", async (_name, service) => {
    const results = await runAgainst(service, catalogue);
    const bad = results.filter(({ status }) => !["pass", "info", "not-applicable"].includes(status));
    expect(bad.map((result) => [result.case.id, result.status, result.reason, result.findings])).toEqual([]);
  });

  it("as a process of its own, passes the cases that only then can run", async () => {
    const own = catalogue.filter(({ needs }) => needs.includes("spawn"));
    const { results } = await runAgainstSpawned({}, own);
    // Those about performance only tell.
    const bad = results.filter(({ status }) => status !== "pass" && status !== "info");
    expect(bad.map((result) => [result.case.id, result.status, result.reason, result.findings])).toEqual([]);
    expect(results.map((result) => result.case.id)).toEqual(own.map(({ id }) => id));
  });
});

describe("every mutant", () => {
  it("has a name of its own", () => {
    const ids = mutants.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it.concurrent.each(mutants.map((mutant) => [mutant.id, mutant] as const))(
    "%s is caught for its reason",
    async (_id, mutant) => {
      const { killed, reason } = await judgeMutant(mutant);
      expect({ killed, reason }).toEqual({ killed: true, reason: undefined });
    },
  );
});
