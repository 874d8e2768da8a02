import { describe, expect, it } from "vitest";
import { catalogue } from "../catalogue.ts";
import { type Figure, figures, isBudgeted, unknownFigures } from "./figures.ts";
import { percentile, slopeOf } from "./measure.ts";

describe("figures", () => {
  it("belong to cases that there are", () => {
    const ids = new Set(catalogue.filter(({ profile }) => profile === "performance").map(({ id }) => id));
    expect(new Set(Object.values(figures).map((figure: Figure) => figure.case))).toEqual(ids);
  });

  it("make their case a check where they have a budget", () => {
    const budget = { "p95.ack": 300 };
    expect(["P01", "P02"].map((id) => isBudgeted(id, budget))).toEqual([true, false]);
  });

  it("are told from names that are none", () => {
    expect(unknownFigures({ "p95.ack": 1, "p95.akc": 1, toString: 1 })).toEqual(["p95.akc", "toString"]);
  });
});

describe("statistics", () => {
  it("take the value that so many are at most", () => {
    const values = [5, 1, 4, 2, 3];
    expect([0, 0.5, 0.8, 0.95, 1].map((share) => percentile(values, share))).toEqual([1, 3, 4, 5, 5]);
    expect(percentile([], 0.5)).toBeUndefined();
  });

  it("find the slope of a line, and none through one point", () => {
    expect(
      slopeOf([
        [0, 1],
        [1, 3],
        [2, 5],
      ]),
    ).toBe(2);
    expect(
      slopeOf([
        [1, 1],
        [1, 2],
      ]),
    ).toBeUndefined();
    expect(slopeOf([])).toBeUndefined();
  });
});
