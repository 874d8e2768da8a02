/** What the harness does by hand before it lets an orchestrator do the same: what does not work by hand proves nothing. */
import type { DataReference } from "@aieffect/control-interface";
import type { TaskView } from "@aieffect/orchestrator-lite";
import type { CaseContext } from "../../engine/context.ts";
import { Untestable } from "../../engine/stop.ts";
import type { Sample } from "../../target/sample.ts";

/** A call that completes. */
export interface Known {
  sample: Sample;
  /** Undefined for a sink. */
  reference: DataReference | undefined;
  /** Undefined where two runs of it alone differ, or outputs cannot be compared. */
  fingerprint: string | undefined;
}

/** The sample by hand; undefined where it does not complete. */
export async function byHand(t: CaseContext, sample: Sample): Promise<Known | undefined> {
  try {
    const { runs, fingerprint } = await t.calibrated(sample);
    const known = { sample, reference: runs[0]?.reference, fingerprint };
    if (known.reference === undefined || (await isReadable(t, known))) return known;
    // A service that was started anew since then may have forgotten it.
    const again = await t.run(sample);
    return again.end === "complete" ? { ...known, reference: again.reference } : known;
  } catch (error) {
    if (!(error instanceof Untestable)) throw error;
  }
  // It does not complete, or not to the same twice.
  const run = await t.run(sample);
  return run.end === "complete" ? { sample, reference: run.reference, fingerprint: undefined } : undefined;
}

/** The sample by hand with other inputs; undefined where it does not complete. */
export async function withInputs(
  t: CaseContext,
  sample: Sample,
  inputs: readonly (DataReference | undefined)[],
): Promise<Known | undefined> {
  const options = { override: { inputs } };
  const runs = [await t.run(sample, options), await t.run(sample, options)];
  if (runs.some(({ end }) => end !== "complete")) return undefined;
  const [one, other] = await Promise.all(runs.map((run) => t.outputOf(run)));
  const fingerprint = one?.fingerprint === other?.fingerprint ? one?.fingerprint : undefined;
  return { sample, reference: runs[0]?.reference, fingerprint };
}

/** Checks that a workflow's task has the output that the same call has by hand. */
export async function requireOutput(
  t: CaseContext,
  task: TaskView | undefined,
  known: Known,
  story: string,
): Promise<void> {
  const [reference] = task?.output_refs ?? [];
  t.require((reference === undefined) === (known.reference === undefined), "E_WRONG_OUTPUT", {
    expected:
      known.reference === undefined ? "no output, as by hand" : "an output that is passed on, as by hand",
    found: `${reference === undefined ? "none" : reference.uri.slice(0, 100)} (${story})`,
  });
  if (known.fingerprint === undefined || reference === undefined) return;
  const { bytes, problem } = await t.payload(reference);
  const fingerprint = bytes && t.fingerprintOf(bytes, reference.format, known.sample);
  t.require(fingerprint === known.fingerprint, "E_WRONG_OUTPUT", {
    expected: `the output of ${known.sample.method} that the same call has by hand`,
    found: `${problem ?? bytes?.toString().slice(0, 200)} (${story})`,
  });
}

/** Whether what a call made can be read at all, which other cases judge. */
export async function isReadable(t: CaseContext, { reference }: Known): Promise<boolean> {
  if (reference === undefined) return false;
  const isFetched = reference.protocol === "http" || reference.protocol === "https";
  return !isFetched || (await t.payload(reference)).bytes !== undefined;
}

/** Two methods of which the second takes what the first makes. */
export interface Chain {
  first: Known;
  second: Sample;
}

/** Trying all of many methods would take longer than it is worth. */
const mostTries = 6;

/** The first pair that is declared (`feeds`), else that works by hand; undefined where there is none. */
export async function findChain(
  t: CaseContext,
  isFirst: (sample: Sample) => boolean = () => true,
): Promise<Chain | undefined> {
  const all = t.samples();
  const consumer = (name: string) => all.find(({ method }) => method === name);
  let tries = 0;
  const firsts = all.filter((sample) => !sample.sink && isFirst(sample));
  const declared = firsts.filter(({ feeds }) => feeds !== undefined);
  for (const sample of declared) {
    const second = (sample.feeds ?? []).map(consumer).find((found) => found !== undefined);
    const first = second && (await byHand(t, sample));
    if (first?.reference !== undefined && second !== undefined) return { first, second };
  }
  if (declared.length > 0) return undefined;
  for (const sample of firsts) {
    const first = await byHand(t, sample);
    if (first?.reference === undefined) continue;
    for (const second of all) {
      if (++tries > mostTries) return undefined;
      if ((await withInputs(t, second, [first.reference])) !== undefined) return { first, second };
    }
  }
  return undefined;
}

/** What to add where no chain is found. */
export const noChain =
  "no method of the samples takes what another makes; where one does, say so in conformance.yaml: methods: {First: {feeds: [Second]}}";

/** Time for a workflow of calls one after another, with some to spare. */
export function timeFor(t: CaseContext, ...samples: readonly Sample[]): number {
  const work = samples.reduce((sum, sample) => sum + sample.max_duration_ms, 0);
  return work + t.settings.timeout_ms;
}
