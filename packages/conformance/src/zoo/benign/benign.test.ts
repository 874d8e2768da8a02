import { describe, expect, it } from "vitest";
import { catalogue } from "../../cases/catalogue.ts";
import { mutants } from "../mutants/index.ts";
import { benignServices } from "./index.ts";
import { judgeBenign } from "./judge-benign.ts";

describe("odd but legal services", () => {
  it("are many, and each has a name of its own", () => {
    const ids = benignServices.map(({ id }) => id);
    expect(ids.length).toBeGreaterThanOrEqual(40);
    expect(ids.filter((id) => mutants.some((mutant) => mutant.id === id))).toEqual([]);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it("may warn only in cases that there are", () => {
    const known = catalogue.map(({ id }) => id);
    const unknown = benignServices.flatMap(({ warns = [] }) => warns).filter((id) => !known.includes(id));
    expect(unknown).toEqual([]);
  });

  // The self-test judges all of them, by all cases.
  it("pass the cases of the core", async () => {
    const service = benignServices.find(({ id }) => id === "pydantic-nulls");
    const core = catalogue.filter(({ profile }) => profile === "core");
    expect(service && (await judgeBenign(service, core))).toBeUndefined();
    expect(service).toBeDefined();
  });
});
