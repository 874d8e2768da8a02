import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { lightSample } from "../robustness/probe.ts";
import { drain, type Measured, measure, percentile } from "./measure.ts";

const callers = 16;
const callsEach = 20;
/** How often the deployed orchestrator polls (R-READ-11). */
const poll_ms = 5000;

export const startup = defineCase({
  id: "P06",
  slug: "perf/startup",
  profile: "performance",
  level: "INFO",
  because: "practice",
  rules: ["R-HEALTH-01", "R-READ-11", "R-WAIT-01"],
  needs: ["sample"],
  holds:
    "How long the service takes to be healthy, how long /health takes under load, and how late polling sees the end of a task is told, and within its budget",
  consequence: "Monitors take a busy service for a dead one; short tasks take as long as the next poll.",
  fix: "Load models after the server listens, answer /health from nothing that queues, and offer the long poll.",
  timing: true,
  destructive: true,
  turn: "late",
  async run(t) {
    await measure(
      t,
      "P06",
      async () => ({
        ...(t.spawned && { startup: t.spawned.startup_ms }),
        ...(await healthUnderLoad(t)),
        ...(await pollTax(t)),
      }),
      {
        startup: "let the harness start the service: --spawn 'COMMAND'",
        "poll-tax": "add a sample slow of a concurrent method to conformance.yaml",
      },
    );
  },
});

async function healthUnderLoad(t: CaseContext): Promise<Measured> {
  const sample = lightSample(t) ?? t.sample();
  const until = performance.now() + t.scaled(2000);
  let busy = callers;
  const executes: Exchange[] = [];
  const caller = async () => {
    for (let call = 0; call < callsEach && performance.now() < until; call++)
      executes.push(await t.execute(sample));
    busy--;
  };
  const load = Promise.all(Array.from({ length: callers }, caller));
  const times: number[] = [];
  while (busy > 0 && times.length < 500) {
    const { sent_at, ended_at } = await t.send({ path: "/health", token: null });
    times.push(ended_at - sent_at);
  }
  await load;
  await drain(t, sample, executes);
  const p99 = percentile(times, 0.99);
  return p99 === undefined ? {} : { "p99.health": p99 };
}

/** From the end of the slow sample to the next of the orchestrator's polls. */
async function pollTax(t: CaseContext): Promise<Measured> {
  const slow = t.all_samples.find(
    ({ mode, expect, at_least_ms }) => mode === "concurrent" && expect === "complete" && at_least_ms >= 2000,
  );
  if (slow === undefined) return {};
  const run = await t.run(slow, { poll_interval_ms: Math.min(50, t.settings.poll_interval_ms) });
  const last = run.polls.at(-1);
  if (run.end !== "complete" || last === undefined) return {};
  const took_ms = last.ended_at - run.execute.sent_at;
  return { "poll-tax": Math.ceil(took_ms / poll_ms) * poll_ms - took_ms };
}
