/**
 * The kill matrix: which cases fail on which mutant. Kept as a golden file, so that a change of what
 * the suite sees is looked at by somebody.
 */
import { readFile, writeFile } from "node:fs/promises";
import type { ConformanceCase } from "../engine/case.ts";
import type { Mutant } from "./mutant.ts";

/**
 * Ids of the cases that fail or warn, by mutant. One with a question mark behind it does so at times:
 * whether it meets that fault depends on how quick the machine is.
 */
export type Matrix = Readonly<Record<string, readonly string[]>>;

/** Beside the sources, also for the compiled program. */
const file = new URL("../../src/zoo/matrix.json", import.meta.url);

/**
 * The cases whose verdict is the same every time: not those that measure time, look for races, or
 * harm, nor those that need a process or run whole workflows. The others are held to their own mutants alone.
 */
export function matrixCases(cases: readonly ConformanceCase[]): ConformanceCase[] {
  return cases.filter(
    ({ timing, stochastic, destructive, needs, level, profile }) =>
      !timing &&
      !stochastic &&
      !destructive &&
      !needs.includes("spawn") &&
      level !== "INFO" &&
      profile !== "e2e",
  );
}

/** The cases of a mutant's row: those, and the ones after which its fault shows. */
export function rowCases(mutant: Mutant, cases: readonly ConformanceCase[]): ConformanceCase[] {
  const usual = new Set(matrixCases(cases));
  return cases.filter((one) => usual.has(one) || mutant.after?.includes(one.id));
}

/** Whether a mutant has a row: one that is a process of its own, or slow, or breaks connections, is held to its case alone. */
export function hasRow(mutant: Mutant): boolean {
  return mutant.spawned === undefined && mutant.settings?.budget === undefined && mutant.rowless !== true;
}

export async function readMatrix(): Promise<Matrix> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw error;
  });
  return JSON.parse(text);
}

/** One mutant a line, so that a difference reads well. */
export async function writeMatrix(matrix: Matrix): Promise<void> {
  const lines = Object.entries(matrix).map(
    ([mutant, cases]) => `  ${JSON.stringify(mutant)}: [${cases.map((id) => JSON.stringify(id)).join(", ")}]`,
  );
  await writeFile(file, `{\n${lines.join(",\n")}\n}\n`);
}

/** Whether a row that was made is as it was known, at times included. */
export function isAsKnown(known: readonly string[] | undefined, cells: readonly string[]): boolean {
  return known !== undefined && differences(known, cells).length === 0;
}

/** What several runs of one row come to: what not all of them have, they have at times. */
export function mergeRows(
  known: readonly string[] | undefined,
  runs: readonly (readonly string[])[],
  order: readonly string[],
): string[] {
  const isAtTimes = (id: string) => known?.includes(`${id}?`) || !runs.every((cells) => cells.includes(id));
  return order.flatMap((id) => {
    if (!known?.includes(`${id}?`) && !runs.some((cells) => cells.includes(id))) return [];
    return [isAtTimes(id) ? `${id}?` : id];
  });
}

function differences(known: readonly string[], cells: readonly string[]): string[] {
  const more = cells.filter((id) => !known.includes(id) && !known.includes(`${id}?`)).map((id) => `+${id}`);
  const less = known.filter((id) => !id.endsWith("?") && !cells.includes(id)).map((id) => `-${id}`);
  return [...more, ...less];
}

/** What differs, in words: one line a mutant. Rows that were not made again are not looked at. */
export function compareMatrices(before: Matrix, after: Matrix, mutants: readonly string[]): string[] {
  const gone = Object.keys(before).filter((id) => !mutants.includes(id));
  const changed = Object.entries(after).flatMap(([mutant, cases]) => {
    const known = before[mutant];
    if (known === undefined) return [`${mutant}: new`];
    const found = differences(known, cases);
    return found.length > 0 ? [`${mutant}: ${found.join(" ")}`] : [];
  });
  return [...changed, ...gone.map((id) => `${id}: there is no such mutant any more`)];
}

/**
 * Cases that no mutant needs: every case has to have one on which no earlier case fails, or, outside
 * the matrix, at least one of its own.
 */
export function deadCases(
  cases: readonly ConformanceCase[],
  mutants: readonly Mutant[],
  matrix: Matrix,
): string[] {
  const inMatrix = new Set(matrixCases(cases).map(({ id }) => id));
  return cases
    .filter(({ id }) => {
      const own = mutants.filter(({ breaks }) => breaks === id);
      return !own.some((mutant) => !inMatrix.has(id) || !hasRow(mutant) || matrix[mutant.id]?.[0] === id);
    })
    .map(({ id }) => id);
}
