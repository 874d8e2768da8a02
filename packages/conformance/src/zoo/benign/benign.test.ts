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

  // The self-test judges all of them.
  it.concurrent.each(["pydantic-nulls"])("%s passes every case", async (id) => {
    const service = benignServices.find((one) => one.id === id);
    expect(service && (await judgeBenign(service))).toBeUndefined();
    expect(service).toBeDefined();
  });
});
