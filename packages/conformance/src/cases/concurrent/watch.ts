import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import type { Exchange, History } from "../../wire/exchange.ts";
import { optional } from "../optional.ts";
import { patience } from "../prerequisites.ts";
import { type Begun, begin, longestOf, type Observation, observe, readBegun, wordOf } from "./observe.ts";

/** An output that was asked for while the task ran, and the status right after. */
interface EarlyOutput {
  output: Exchange;
  after: Exchange;
}

/**
 * Two tasks of the slow sample that run once and are looked at by many cases, so that a service
 * with long tasks is judged quickly. The first is driven as the orchestrator does; the twin's output
 * is asked for early, and then it is left alone.
 */
export interface Watch {
  execute: Exchange;
  /** Why there is nothing to see. */
  problem: string | undefined;
  /** Sent in the tick after the handle was told, over a new connection. */
  first: Exchange | undefined;
  seen: Observation | undefined;
  /** Whether the output's payload could be read when the task had ended; undefined where it is in the reference itself. */
  hasPayload: boolean | undefined;
  twin: Begun;
  early: readonly EarlyOutput[];
}

const watches = new WeakMap<History, Promise<Watch>>();
const failures = new WeakMap<History, Promise<Failure>>();

/** The watch of this run. */
export function watchOf(t: CaseContext): Promise<Watch> {
  return remember(watches, t, (t) => watch(t));
}

/** The watched task, or the end of the case where there is none. */
export async function seenOf(t: CaseContext): Promise<Watch & { seen: Observation; first: Exchange }> {
  const watch = await watchOf(t);
  const { seen, first, problem } = watch;
  if (seen === undefined || first === undefined) return t.untestable(problem ?? "no task could be started");
  return { ...watch, seen, first };
}

/** As {@link seenOf}, of a task that completed. */
export async function completeOf(
  t: CaseContext,
): Promise<Watch & { seen: Observation & { ended: Exchange; output: Exchange } }> {
  const watch = await seenOf(t);
  const { ended, output, end } = watch.seen;
  if (end === "complete" && ended !== undefined && output !== undefined) {
    return { ...watch, seen: { ...watch.seen, ended, output } };
  }
  const see = { complete: "", failed: "correct the sample", stuck: "see T07", lost: "see T04" }[end];
  return t.untestable(
    `sample "${watch.seen.sample.name}" of ${watch.seen.sample.method} ended ${end}: ${see}`,
  );
}

/** Watches while something else is waited for. Only what ended as it should counts: else it is watched again, alone. */
export async function prepareWatch(t: CaseContext): Promise<void> {
  const watched = watch(t, patience(t, t.slow()));
  watches.set(t.history, watched);
  const end = await watched.then(
    ({ seen }) => seen?.end,
    () => undefined,
  );
  if (end !== "complete" && end !== "failed") watches.delete(t.history);
}

async function watch(t: CaseContext, longest_ms?: number): Promise<Watch> {
  const sample = t.slow();
  const execute = await t.execute(sample);
  const begun = readBegun(sample, execute);
  const none = {
    execute,
    problem: begun.problem,
    first: undefined,
    seen: undefined,
    hasPayload: undefined,
    early: [],
  };
  if (begun.handle === undefined) return { ...none, twin: begun };
  const first = await t.status(begun.handle, { fresh: true });
  const twin = await begin(t, sample);
  const early: EarlyOutput[] = [];
  const askEarly = async () => {
    if (twin.handle === undefined) return;
    early.push({ output: await t.output(twin.handle), after: await t.status(twin.handle) });
  };
  await askEarly();
  const half = performance.now() + t.scaled(sample.at_least_ms) / 2;
  const seen = await observe(t, sample, begun, {
    output: true,
    ...(longest_ms !== undefined && { longest_ms }),
    async onPoll() {
      if (early.length < 2 && performance.now() > half) await askEarly();
    },
  });
  const reference = seen.output && readAs(seen.output, "output")?.output;
  const isElsewhere = reference !== undefined && reference.protocol !== "inline";
  const hasPayload = isElsewhere ? (await t.payload(reference)).bytes !== undefined : undefined;
  const polls = wordOf(first) === undefined ? seen.polls : [first, ...seen.polls];
  return { execute, problem: undefined, first, seen: { ...seen, polls }, hasPayload, twin, early };
}

/** A task of the failing sample, in the background. */
export interface Failure {
  problem: string | undefined;
  seen: Observation | undefined;
  /** The output, asked for after the end. */
  output: Exchange | undefined;
}

/** So long after its work ended a task may be `running`. */
export const crashBudget_ms = 5000;

/** What became of the failing sample; undefined where the manifest has none. */
export function failureOf(t: CaseContext): Promise<Failure> | undefined {
  const sample = optional(() => t.failing());
  if (sample === undefined) return undefined;
  return remember(failures, t, async () => {
    const begun = await begin(t, sample);
    if (begun.handle === undefined) return { problem: begun.problem, seen: undefined, output: undefined };
    // Nobody knows when the work ended: give it three times the budget.
    const patience = t.scaled(sample.at_least_ms + 3 * crashBudget_ms);
    const seen = await observe(t, sample, begun, { longest_ms: Math.min(patience, longestOf(t, sample)) });
    const output = seen.end === "failed" ? await t.output(begun.handle) : undefined;
    return { problem: undefined, seen, output };
  });
}

function remember<T>(
  known: WeakMap<History, Promise<T>>,
  t: CaseContext,
  make: (t: CaseContext) => Promise<T>,
): Promise<T> {
  const found = known.get(t.history) ?? make(t);
  known.set(t.history, found);
  return found;
}
