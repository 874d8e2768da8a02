import type { CaseContext } from "../engine/context.ts";
import type { Run } from "../engine/drive.ts";
import type { Sample } from "../target/sample.ts";
import type { Exchange, History } from "../wire/exchange.ts";

const known = new WeakMap<History, Map<string, Promise<Run>>>();

/** One run of a sample with nothing beside it; the same one for every case of a run that asks. */
export function runAlone(t: CaseContext, sample: Sample): Promise<Run> {
  const runs = known.get(t.history) ?? new Map<string, Promise<Run>>();
  known.set(t.history, runs);
  const key = keyOf(sample);
  const run = runs.get(key) ?? t.run(sample);
  runs.set(key, run);
  return run;
}

function keyOf({ method, name }: Sample): string {
  return `${method}/${name}`;
}

/** As {@link runAlone}, beside what an earlier case waits for: what does not complete there is run again, alone. */
export async function prepareAlone(t: CaseContext, sample: Sample): Promise<void> {
  const run = runAlone(t, sample);
  const isComplete = await run.then(
    ({ end }) => end === "complete",
    () => false,
  );
  if (!isComplete) known.get(t.history)?.delete(keyOf(sample));
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

/** So much is asked for at once: of what is more, services get rid too slowly for their own patience. */
const mostAtOnce = 64 * 2 ** 20;

/** How many of such replies are asked for at once, of `most` that are wanted. */
export function howManyAtOnce(most: number, replies: readonly (Exchange | undefined)[]): number {
  const longest = Math.max(1, ...replies.map((one) => one?.reply?.body.length ?? 0));
  return Math.max(2, Math.min(most, Math.floor(mostAtOnce / longest)));
}
