import type { Arbitrary } from "fast-check";
import type { Code } from "../../../codes/codes.ts";
import type { FuzzReplay } from "../../../engine/case.ts";
import type { CaseContext, Say } from "../../../engine/context.ts";

/** fast-check, as far as it is loaded. */
export type FastCheck = typeof import("fast-check");

/** Loads fast-check, which runs without fuzzing do without. */
export function loadFastCheck(): Promise<FastCheck> {
  return import("fast-check");
}

/** Thrown by what is tried out: it does not hold, and why. */
export class Disproof extends Error {
  readonly code: Code;
  readonly say: Say;

  constructor(code: Code, say: Say) {
    super(say.found);
    this.code = code;
    this.say = say;
  }
}

/** The smallest input found for which something does not hold. */
export interface Counterexample<T> {
  value: T;
  disproof: Disproof;
  replay: FuzzReplay;
  /** As fast-check writes it. */
  text: string;
}

/** How much is tried. */
export interface Effort {
  runs: number;
  /** No new input is tried after so many ms. */
  time_ms: number;
  /** No smaller input is tried so many ms after the first that disproves. */
  shrink_ms: number;
}

/** Each of these costs a whole time limit, so shrinking goes on for so many of them only. */
const slowCodes: readonly Code[] = ["E_DEADLINE", "E_STUCK"];
const mostSlow = 4;

/**
 * Looks for a value for which `holds` throws a {@link Disproof}, and shrinks it. What else is thrown
 * ends the case as it would anywhere.
 */
export async function disprove<T>(
  fc: FastCheck,
  t: CaseContext,
  values: Arbitrary<T>,
  holds: (value: T) => Promise<void>,
  { runs, time_ms, shrink_ms }: Effort,
): Promise<{ tried: number; counterexample: Counterexample<T> | undefined }> {
  const { seed, fuzz_path } = t.settings;
  let until = performance.now() + time_ms;
  let tried = 0;
  let slow = 0;
  let last: Disproof | undefined;
  let broken: { error: unknown } | undefined;
  const property = fc.asyncProperty(values, async (value) => {
    const isOver = performance.now() > until || slow >= mostSlow;
    if (broken !== undefined || isOver) return;
    tried++;
    try {
      await holds(value);
    } catch (error) {
      if (fc.PreconditionFailure.isFailure(error)) throw error;
      if (!(error instanceof Disproof)) {
        broken = { error };
        return;
      }
      if (slowCodes.includes(error.code)) slow++;
      // Shrinking must not wander off to another fault.
      if (last !== undefined && last.code !== error.code) return;
      if (last === undefined) until = performance.now() + shrink_ms;
      last = error;
      throw error;
    }
  });
  const path = fuzz_path === undefined ? {} : { path: fuzz_path };
  const details = await fc.check(property, { seed, numRuns: runs, ...path });
  if (broken !== undefined) throw broken.error;
  const { counterexample, counterexamplePath } = details;
  if (last === undefined || counterexample === null || counterexamplePath === null) {
    return { tried, counterexample: undefined };
  }
  return {
    tried,
    counterexample: {
      value: counterexample[0],
      disproof: last,
      replay: { seed, path: counterexamplePath },
      text: fc.stringify(counterexample[0]),
    },
  };
}
