import type { ConformanceCase } from "./case.ts";

const turns = ["early", "soon", "late", "last"] as const;

/** The order in which cases run, so that a service with a fault hears of it soon. Those of one turn keep their order. */
export function runOrder(cases: readonly ConformanceCase[]): ConformanceCase[] {
  const place = ({ turn = "early" }: ConformanceCase) => turns.indexOf(turn);
  return cases.toSorted((one, other) => place(one) - place(other));
}
