import { setTimeout as sleep } from "node:timers/promises";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { lightSample } from "../robustness/probe.ts";
import { ackOf, drain, type Measured, measure, percentile } from "./measure.ts";

const lowest = 10;
const highest = 640;
const step_ms = 500;

export const knee = defineCase({
  id: "P03",
  slug: "perf/knee",
  profile: "performance",
  level: "INFO",
  because: "practice",
  rules: ["R-RUN-02"],
  needs: ["sample"],
  holds:
    "Up to which rate execute answers promptly, and how many answers there are at most, is told, and within its budget",
  consequence:
    "Beyond that rate workflows queue before the service, and in the end run into the limit of 30 s.",
  fix: "Look for what requests do one after another: a lock, one worker, one connection to a database.",
  timing: true,
  destructive: true,
  turn: "late",
  async run(t) {
    const sample = lightSample(t) ?? t.sample();
    await measure(t, "P03", () => climb(t, sample));
  },
});

/** Doubles the rate until answers come late, or fewer than calls. */
async function climb(t: CaseContext, sample: Sample): Promise<Measured> {
  const { budget } = t.settings;
  const top = Math.max(highest, 2 * (budget.knee ?? 0), 2 * (budget.goodput ?? 0));
  const alone: number[] = [];
  for (let again = 0; again < 3; again++) {
    const execute = await t.execute(sample);
    alone.push(
      ackOf(execute) ?? t.untestable(`sample "${sample.name}" of ${sample.method} is refused: see C05`),
    );
    await drain(t, sample, [execute]);
  }
  const promptly_ms = 4 * (percentile(alone, 0.5) ?? 0) + 50;
  let lastGood = 0;
  let most = 0;
  for (let rate = lowest; rate <= top; rate *= 2) {
    const { p95, goodput, executes } = await load(t, sample, rate);
    most = Math.max(most, goodput);
    await drain(t, sample, executes);
    if (p95 > promptly_ms || goodput < 0.8 * rate) break;
    lastGood = rate;
  }
  return { knee: lastGood, goodput: most };
}

/** Sends at a rate, whether or not answers come; each is late from the moment at which it was due. */
async function load(t: CaseContext, sample: Sample, rate: number) {
  const count = Math.max(4, Math.round((rate * t.scaled(step_ms)) / 1000));
  const began = t.history.now();
  const calls: Promise<{ execute: Exchange; late_ms: number | undefined }>[] = [];
  for (let at = 0; at < count; at++) {
    const due = began + (at * 1000) / rate;
    const wait_ms = due - t.history.now();
    if (wait_ms > 1) await sleep(wait_ms);
    calls.push(
      t.execute(sample).then((execute) => ({
        execute,
        late_ms: ackOf(execute) === undefined ? undefined : execute.ended_at - due,
      })),
    );
  }
  const done = await Promise.all(calls);
  const good = done.flatMap(({ late_ms }) => late_ms ?? []);
  // The last one's share of time is over when the next would be due.
  const took_s = Math.max(t.history.now() - began, (count * 1000) / rate) / 1000;
  return {
    p95: good.length < count ? Number.POSITIVE_INFINITY : (percentile(good, 0.95) ?? 0),
    goodput: good.length / took_s,
    executes: done.map(({ execute }) => execute),
  };
}
