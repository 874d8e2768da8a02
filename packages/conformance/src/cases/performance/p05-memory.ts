import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { lightSample } from "../robustness/probe.ts";
import { type Measured, measure, slopeOf } from "./measure.ts";

const warmUp = 100;
const tasks = 2000;
const batch = 100;
const callers = 8;

export const memory = defineCase({
  id: "P05",
  slug: "perf/memory",
  profile: "performance",
  level: "INFO",
  because: "practice",
  rules: ["R-RUN-09"],
  needs: ["sample", "spawn"],
  holds: "What 2,000 tasks leave behind in memory and in open files is told, and within its budget",
  consequence: "A service that runs for weeks is killed in the middle of a night, with all tasks that run.",
  fix: "Drop tasks and payloads after a time, close files and connections where they were opened.",
  destructive: true,
  turn: "late",
  async run(t) {
    const untold = "this system does not tell a process's memory and files (it has no /proc)";
    await measure(t, "P05", () => measureTasks(t), { "rss.per-task": untold, "files.per-task": untold });
  },
});

async function measureTasks(t: CaseContext): Promise<Measured> {
  const { spawned } = t;
  if (spawned === undefined) return {};
  await runTasks(t, warmUp);
  const began = performance.now();
  const points: [tasks: number, bytes: number][] = [];
  const filesBefore = await spawned.openFiles();
  let done = 0;
  for (; done < tasks && (done < 2 * batch || performance.now() - began < t.scaled(10_000)); done += batch) {
    await runTasks(t, batch);
    const bytes = await spawned.rss();
    if (bytes !== undefined) points.push([done + batch, bytes]);
  }
  const filesAfter = await spawned.openFiles();
  const slope = slopeOf(points);
  return {
    ...(slope !== undefined && { "rss.per-task": Math.max(0, slope) }),
    ...(filesBefore !== undefined &&
      filesAfter !== undefined && { "files.per-task": Math.max(0, (filesAfter - filesBefore) / done) }),
  };
}

/** Tasks, a few at a time, each to its end. */
async function runTasks(t: CaseContext, count: number): Promise<void> {
  const sample = lightSample(t) ?? t.sample();
  let left = count;
  const caller = async () => {
    while (left-- > 0) await t.run(sample);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}
