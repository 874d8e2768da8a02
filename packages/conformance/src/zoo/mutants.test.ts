import { describe, expect, it } from "vitest";
import { catalogue } from "../cases/catalogue.ts";
import { judgeMutant, runAgainst, runAgainstSpawned } from "./judge-mutant.ts";
import { mutants } from "./mutants/index.ts";

describe("the pristine service", () => {
  // The self-test judges all of its variants, by all cases.
  it("with a token, passes every case that does not take its time", async () => {
    const cases = catalogue.filter(({ profile, timing }) => profile !== "performance" && !timing);
    const results = await runAgainst({ token: "a-token-of-the-test" }, cases);
    const bad = results.filter(({ status }) => !["pass", "info", "not-applicable"].includes(status));
    expect(bad.map((result) => [result.case.id, result.status, result.reason, result.findings])).toEqual([]);
  });

  it("as a process of its own, passes the cases of isolation that only then can run", async () => {
    const own = catalogue.filter(({ needs, profile }) => needs.includes("spawn") && profile === "isolation");
    const { results } = await runAgainstSpawned({}, own);
    expect(results.map((result) => [result.case.id, result.status])).toEqual(
      own.map(({ id }) => [id, "pass"]),
    );
  });
});

/** The first of every case that takes neither long nor chances. */
const some = catalogue.flatMap(({ id, timing, stochastic, destructive }) => {
  if (timing || stochastic || destructive) return [];
  return mutants.find(({ breaks, spawned }) => breaks === id && spawned === undefined) ?? [];
});

describe("mutants", () => {
  it("have names of their own", () => {
    const ids = mutants.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it("are there for every case", () => {
    const broken = new Set(mutants.map(({ breaks }) => breaks));
    expect(catalogue.filter(({ id }) => !broken.has(id)).map(({ id }) => id)).toEqual([]);
  });

  // The self-test judges all of them.
  it.concurrent.each(some.map((mutant) => [mutant.id, mutant] as const))(
    "%s is caught for its reason",
    async (_id, mutant) => {
      const { killed, reason } = await judgeMutant(mutant);
      expect({ killed, reason }).toEqual({ killed: true, reason: undefined });
    },
  );
});
