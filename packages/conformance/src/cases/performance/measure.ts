import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import { watchQuiet } from "../../engine/lag.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { type Figure, type FigureName, figures } from "./figures.ts";

/** What was measured; a figure that could not be is left out. */
export type Measured = Partial<Record<FigureName, number>>;

/** So far beyond its budget no busy machine is to blame. */
const hopeless = 5;

/**
 * Measures figures of a case and tells them, or judges them where there is a budget. What is over its
 * budget is measured once more, unless it is so by far; a busy machine leaves times inconclusive.
 * @param missing why a figure could not be measured, where it has a budget
 */
export async function measure(
  t: CaseContext,
  id: string,
  work: () => Promise<Measured>,
  missing: Partial<Record<FigureName, string>> = {},
): Promise<void> {
  let { measured, quiet } = await watched(work);
  const over = overBudget(t, measured, 1);
  if (over.length > 0 && overBudget(t, measured, hopeless).length < over.length) {
    ({ measured, quiet } = await watched(work));
  }
  const own = (Object.keys(figures) as FigureName[]).filter((name) => figures[name].case === id);
  if (!quiet && own.every((name) => measured[name] === undefined)) {
    t.inconclusive("E_MEASURED", { expected: "something to measure", found: "a machine that was too busy" });
  }
  for (const name of own) {
    const figure: Figure = figures[name];
    const value = measured[name];
    const budget = t.settings.budget[name];
    if (value === undefined) {
      if (budget !== undefined)
        t.untestable(`${name} could not be measured${missing[name] ? `: ${missing[name]}` : ""}`);
      continue;
    }
    const found = `${name}: ${write(value, figure)}`;
    if (budget === undefined) {
      t.tell("E_MEASURED", { expected: figure.means, found });
      continue;
    }
    const say = {
      expected: `${name} of at ${figure.better === "lower" ? "most" : "least"} ${write(budget, figure)}`,
      found,
    };
    const isTime = figure.unit.startsWith("ms") || figure.unit === "per second";
    const isOver = overBudget(t, { [name]: value }, 1).length > 0;
    if (isOver && isTime && !quiet && overBudget(t, { [name]: value }, hopeless).length === 0) {
      t.inconclusive("E_BUDGET", say);
    } else t.check(!isOver, "E_BUDGET", { ...say, level: "MUST" });
  }
}

async function watched(work: () => Promise<Measured>): Promise<{ measured: Measured; quiet: boolean }> {
  const quietOf = watchQuiet();
  const measured = await work();
  return { measured, quiet: quietOf().quiet };
}

/** Names of figures that are beyond so many times their budget. */
function overBudget(t: CaseContext, measured: Measured, times: number): string[] {
  return Object.entries(measured).flatMap(([name, value]) => {
    const budget = t.settings.budget[name];
    if (budget === undefined) return [];
    const { better } = figures[name as FigureName];
    return (better === "lower" ? value > budget * times : value < budget / times) ? [name] : [];
  });
}

/** A value with its unit. */
function write(value: number, { unit }: Figure): string {
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return unit === "exponent" ? `${rounded}` : `${rounded} ${unit}`;
}

/** The value that so much of all values are at most. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** The slope of the line through points, by least squares; undefined where there is none. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number | undefined {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (n < 2 || spread === 0) return undefined;
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}

/** How long an answer took, in ms; undefined where it was none that the orchestrator takes. */
export function ackOf(execute: Exchange): number | undefined {
  const reading = readAs(execute, "execute");
  return reading === undefined ? undefined : execute.ended_at - execute.sent_at;
}

/** Lets tasks end that were begun, so that they are not measured with what comes next. */
export async function drain(t: CaseContext, sample: Sample, executes: readonly Exchange[]): Promise<void> {
  const until = performance.now() + Math.min(sample.max_duration_ms, t.scaled(30_000));
  for (const execute of executes) {
    if (readAs(execute, "execute")?.status !== "running") continue;
    const max_duration_ms = until - performance.now();
    if (max_duration_ms <= 0) return;
    await t.follow(sample, execute, { max_duration_ms });
  }
}

/** Calls `work` until it was called often enough, or time is up; at least so often. */
export async function repeat(
  limits: { times: number; time_ms: number; atLeast: number },
  work: (time: number) => Promise<void>,
): Promise<void> {
  const began = performance.now();
  for (let time = 0; time < limits.times; time++) {
    if (time >= limits.atLeast && performance.now() - began > limits.time_ms) return;
    await work(time);
  }
}
