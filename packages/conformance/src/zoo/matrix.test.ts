import { describe, expect, it } from "vitest";
import { catalogue } from "../cases/catalogue.ts";
import {
  compareMatrices,
  deadCases,
  hasRow,
  isAsKnown,
  matrixCases,
  mergeRows,
  readMatrix,
} from "./matrix.ts";
import { mutants } from "./mutants/index.ts";

describe("the kill matrix", () => {
  it("has a row for every mutant, in which its own case stands where that is deterministic", async () => {
    const matrix = await readMatrix();
    const rowed = mutants.filter(hasRow);
    expect(Object.keys(matrix).toSorted()).toEqual(rowed.map(({ id }) => id).toSorted());
    const deterministic = new Set(matrixCases(catalogue).map(({ id }) => id));
    const missing = rowed.filter(
      ({ id, breaks }) => deterministic.has(breaks) && !matrix[id]?.includes(breaks),
    );
    expect(missing.map(({ id }) => id)).toEqual([]);
  });

  it("shows no case that could be left out", async () => {
    expect(deadCases(catalogue, mutants, await readMatrix())).toEqual([]);
  });

  it("tells what is new, changed and gone", () => {
    const before = { one: ["C01"], two: ["C05", "W1"], three: [] };
    const after = { one: ["C01"], two: ["C05", "T04"], four: [] };
    expect(compareMatrices(before, after, ["one", "two", "four"])).toEqual([
      "two: +T04 -W1",
      "four: new",
      "three: there is no such mutant any more",
    ]);
  });

  it("knows what is so at times", () => {
    const order = ["C01", "C05", "T04", "W1"];
    expect(mergeRows(undefined, [["C05", "W1"], ["C05"], ["C05", "T04"]], order)).toEqual([
      "C05",
      "T04?",
      "W1?",
    ]);
    expect(mergeRows(["C01?"], [["C05"], ["C05"]], order)).toEqual(["C01?", "C05"]);
    expect(isAsKnown(["C05", "W1?"], ["C05"])).toBe(true);
    expect(isAsKnown(["C05", "W1?"], ["C05", "W1"])).toBe(true);
    expect(isAsKnown(["C05", "W1?"], ["W1"])).toBe(false);
    expect(isAsKnown(["C05"], ["C05", "W1"])).toBe(false);
    expect(isAsKnown(undefined, [])).toBe(false);
  });

  it("calls a case dead when an earlier one fails on all of its mutants", () => {
    const [first, second] = matrixCases(catalogue);
    if (first === undefined || second === undefined) throw new Error("Expected two cases");
    const own = mutants.filter(({ breaks }) => breaks === second.id).slice(0, 1);
    const name = own[0]?.id ?? "";
    expect(deadCases([first, second], own, { [name]: [second.id] })).toEqual([first.id]);
    expect(deadCases([first, second], own, { [name]: [first.id, second.id] })).toEqual([first.id, second.id]);
  });
});
