import type { CaseContext } from "../../engine/context.ts";
import type { Run } from "../../engine/drive.ts";
import { Untestable } from "../../engine/stop.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { endOf, nameOf } from "../alone.ts";

/** Samples a and b of a method, with the outputs that they have alone. */
export interface DistinctPair {
  samples: readonly [Sample, Sample];
  fingerprints: readonly [string, string];
  /** How long the longer of the two took alone. */
  took_ms: number;
  /** The replies with their outputs. */
  replies: readonly Exchange[];
}

/** Calibrates pairs; those whose outputs cannot be told apart are left out. Ends the case when none is left. */
export async function distinctPairs(
  t: CaseContext,
  pairs: readonly (readonly [Sample, Sample])[],
): Promise<DistinctPair[]> {
  const distinct: DistinctPair[] = [];
  const problems: string[] = [];
  for (const samples of pairs) {
    let a: Awaited<ReturnType<CaseContext["calibrated"]>>;
    let b: typeof a;
    try {
      a = await t.calibrated(samples[0]);
      b = await t.calibrated(samples[1]);
    } catch (error) {
      if (!(error instanceof Untestable)) throw error;
      problems.push(error.message);
      continue;
    }
    if (a.fingerprint === b.fingerprint) {
      problems.push(
        `samples a and b of ${samples[0].method} have equal outputs; give them parameters or inputs whose results differ`,
      );
    } else {
      const took_ms = Math.max(
        ...[...a.runs, ...b.runs].map(({ execute, last }) => last.ended_at - execute.sent_at),
      );
      const replies = [...a.runs, ...b.runs].map(({ output_call, last }) => output_call ?? last);
      distinct.push({ samples, fingerprints: [a.fingerprint, b.fingerprint], took_ms, replies });
    }
  }
  return distinct.length > 0 ? distinct : t.untestable(problems.join("; "));
}

/** Checks that a run of one of the two has the output that it has alone. */
export async function judgeOutput(
  t: CaseContext,
  { fingerprints }: DistinctPair,
  which: 0 | 1,
  run: Run,
): Promise<boolean> {
  if (run.end !== "complete") {
    return t.check(false, "E_DISTURBED", {
      expected: `${nameOf(run.sample)} to complete beside other tasks, as it does alone`,
      found: endOf(run),
      at: [run.execute, run.last],
    });
  }
  const { fingerprint, problem } = await t.outputOf(run);
  const isOther = fingerprint !== undefined && fingerprint === fingerprints[which === 0 ? 1 : 0];
  return t.check(fingerprint === fingerprints[which], "E_WRONG_OUTPUT", {
    expected: `workflow ${run.workflow_id} to get the output that its request, ${nameOf(run.sample)}, has alone`,
    found: problem ?? (isOther ? "the output of the other request" : "another output"),
    at: [run.execute, run.last],
  });
}
