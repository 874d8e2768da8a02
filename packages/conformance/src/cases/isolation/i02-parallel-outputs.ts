import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Run } from "../../engine/drive.ts";
import { allPairs, howManyAtOnce, nameOf } from "../alone.ts";
import { type DistinctPair, distinctPairs, judgeOutput } from "./outputs.ts";

export const parallelOutputs = defineCase({
  id: "I02",
  slug: "iso/parallel-outputs",
  profile: "isolation",
  level: "MUST",
  because: "data",
  rules: ["R-RUN-02", "R-RUN-04", "R-RUN-06"],
  needs: ["pair"],
  holds:
    "Many tasks at once each get the output that their request has alone, under handles and places of their own",
  consequence:
    "As soon as two workflows run at once, one of them is given the other's result, and nobody notices.",
  fix: "Keep nothing of a task in module variables, fixed file names or a `last result`; name files and URLs after the execution.",
  stochastic: true,
  turn: "soon",
  async run(t) {
    for (const pair of await distinctPairs(t, allPairs(t))) await judgePair(t, pair);
  },
});

async function judgePair(t: CaseContext, pair: DistinctPair): Promise<void> {
  // Fewer where tasks take their time: a service may work on one after another.
  const count = howManyAtOnce(pair.took_ms < 1000 ? 32 : 8, pair.replies);
  const runs = await Promise.all(
    Array.from({ length: count }, (_, at) => {
      const sample = pair.samples[at % 2 === 0 ? 0 : 1];
      return t.run(sample, { max_duration_ms: count * sample.max_duration_ms });
    }),
  );
  // A service that is full may say so (R-EXEC-15), and one that works on one after another be late.
  const answered = runs
    .map((run, at) => ({ run, which: (at % 2) as 0 | 1 }))
    .filter(({ run }) => !isLoad(run));
  if (answered.length < 2) {
    t.untestable(`of ${count} parallel tasks of ${pair.samples[0].method} fewer than 2 were taken (see P03)`);
  }
  for (const { run, which } of answered) {
    // One that is wrong says it; thirty more would only be noise.
    if (!(await judgeOutput(t, pair, which, run))) break;
  }
  judgeDistinct(
    t,
    answered.map(({ run }) => run),
  );
}

function isLoad({ end, last }: Run): boolean {
  const { reply, silence } = last;
  return (end === "refused" && [429, 503].includes(reply?.status ?? 0)) || silence?.kind === "timeout";
}

/** No two have a handle in common, nor a place where different outputs are kept. */
function judgeDistinct(t: CaseContext, runs: readonly Run[]): void {
  const handles = new Map<string, Run>();
  const places = new Map<string, Run>();
  for (const run of runs) {
    const { handle, reference, sample } = run;
    const same = handle === undefined ? undefined : handles.get(handle);
    t.check(same === undefined, "E_ID_SHARED", {
      expected: "another handle for every execution",
      found: `${handle} for ${same?.workflow_id} and ${run.workflow_id}`,
      at: [same?.execute, run.execute],
    });
    if (handle !== undefined) handles.set(handle, run);
    // Equal results may share a place that is named by their content; and where to call is no place.
    if (reference === undefined || !/^(http|https|file|s3|nfs)$/.test(reference.protocol)) continue;
    const before = places.get(reference.uri);
    const isShared = before !== undefined && before.sample !== sample;
    t.check(!isShared, "E_URI_SHARED", {
      expected: `another uri for ${nameOf(sample)} than for ${before && nameOf(before.sample)}`,
      found: `${reference.uri} for both`,
      at: [before?.last, run.last],
    });
    places.set(reference.uri, run);
    if (same !== undefined || isShared) return;
  }
}
