import type { CaseContext } from "../engine/context.ts";
import type { Run } from "../engine/drive.ts";
import type { Sample } from "../target/sample.ts";
import type { History } from "../wire/exchange.ts";

const known = new WeakMap<History, Map<string, Promise<Run>>>();

/** One run of a sample with nothing beside it; the same one for every case of a run that asks. */
export function runAlone(t: CaseContext, sample: Sample): Promise<Run> {
  const runs = known.get(t.history) ?? new Map<string, Promise<Run>>();
  known.set(t.history, runs);
  const name = `${sample.method}/${sample.name}`;
  const run = runs.get(name) ?? t.run(sample);
  runs.set(name, run);
  return run;
}

/** As in `Train "a"`. */
export function nameOf({ method, name }: Sample): string {
  return `${method} "${name}"`;
}

/** How a run ended, for people. */
export function endOf({ end, error, last }: Run): string {
  const { reply, silence } = last;
  if (end === "failed") return `failed: ${error ?? "without an error"}`;
  if (end === "complete") return "complete";
  if (end === "stuck") return "still running";
  return reply === undefined
    ? (silence?.message ?? "no reply")
    : `HTTP ${reply.status}: ${reply.body.toString().slice(0, 200)}`;
}

/** Samples a and b of every method that has both. */
export function allPairs(t: CaseContext): (readonly [Sample, Sample])[] {
  const named = (name: string) =>
    t.all_samples.filter((one) => one.name === name && one.expect === "complete");
  return named("a").flatMap((a) => {
    const b = named("b").find(({ method }) => method === a.method);
    return b === undefined ? [] : [[a, b] as const];
  });
}
