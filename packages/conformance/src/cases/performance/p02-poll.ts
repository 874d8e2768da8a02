import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { lightSample } from "../robustness/probe.ts";
import { drain, type Measured, measure, percentile, repeat } from "./measure.ts";

const running = 64;
const stored = 300;

export const poll = defineCase({
  id: "P02",
  slug: "perf/poll",
  profile: "performance",
  level: "INFO",
  because: "practice",
  rules: ["R-READ-11", "R-STAT-01"],
  needs: ["slow"],
  holds:
    "How long status takes to answer while 64 tasks run, and with more tasks in store, is told, and within its budget",
  consequence:
    "An orchestrator that polls many tasks falls behind, and polls slow down the work that they ask for.",
  fix: "Look tasks up by their id, in memory or through an index; never walk through all of them.",
  timing: true,
  destructive: true,
  turn: "late",
  async run(t) {
    await measure(t, "P02", () => measurePolls(t));
  },
});

async function measurePolls(t: CaseContext): Promise<Measured> {
  const slow = t.slow();
  const alone = await t.execute(slow);
  const first = handleIn(alone);
  if (first === undefined) t.untestable(`${slow.method} does not answer running: see T01`);
  const before = await leastOf(t, first);
  const executes = await Promise.all(Array.from({ length: running }, () => t.execute(slow)));
  const handles = executes.flatMap((execute) => handleIn(execute) ?? []);
  const times: number[] = [];
  await repeat({ times: 300, time_ms: t.scaled(2000), atLeast: 20 }, async (time) => {
    times.push(await statusTime(t, handles[time % handles.length] ?? first));
  });
  const light = lightSample(t) ?? slow;
  let count = 0;
  const kept: Exchange[] = [];
  await repeat({ times: stored, time_ms: Math.max(1000, t.scaled(4000)), atLeast: 20 }, async () => {
    kept.push(await t.execute(light));
    count++;
  });
  const last = handleIn(await t.execute(slow)) ?? first;
  // A walk from either end is long for one of them.
  const after = Math.max(await leastOf(t, first), await leastOf(t, last));
  await drain(t, light, kept);
  await drain(t, slow, [alone, ...executes]);
  const p99 = percentile(times, 0.99);
  return {
    ...(p99 !== undefined && { "p99.poll": p99 }),
    "growth.poll": Math.max(0, (after - before) / ((handles.length + count) / 1000)),
  };
}

function handleIn(execute: Exchange): string | undefined {
  return readAs(execute, "execute")?.task_id || undefined;
}

async function statusTime(t: CaseContext, handle: string): Promise<number> {
  const { sent_at, ended_at } = await t.status(handle);
  return ended_at - sent_at;
}

/** The shortest of several: what the look-up itself takes, whatever else goes on. */
async function leastOf(t: CaseContext, handle: string): Promise<number> {
  const times: number[] = [];
  for (let again = 0; again < 31; again++) times.push(await statusTime(t, handle));
  return Math.min(...times);
}
