import { defineCase } from "../../engine/case.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { lightSample } from "../robustness/probe.ts";
import { ackOf, drain, measure, percentile, repeat } from "./measure.ts";

const calls = 200;

export const ack = defineCase({
  id: "P01",
  slug: "perf/ack",
  profile: "performance",
  level: "INFO",
  because: "practice",
  rules: ["R-READ-11"],
  needs: ["sample"],
  holds: "How long execute takes to answer, call after call, is told, and within its budget",
  consequence: "Every node of a pipeline waits so long before its work begins.",
  fix: "Answer `running` before the work begins; keep connections, models and files open between calls.",
  timing: true,
  destructive: true,
  turn: "late",
  async run(t) {
    const sample = lightSample(t) ?? t.sample();
    await measure(t, "P01", async () => {
      const executes: Exchange[] = [];
      await repeat({ times: calls, time_ms: t.scaled(5000), atLeast: 5 }, async () => {
        executes.push(await t.execute(sample));
      });
      await drain(t, sample, executes);
      const times = executes.flatMap((execute) => ackOf(execute) ?? []);
      if (times.length < executes.length / 2) {
        t.untestable(`most calls with sample "${sample.name}" of ${sample.method} are refused: see C05`);
      }
      const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(times, share) ?? 0);
      return { "p50.ack": p50 ?? 0, "p95.ack": p95 ?? 0, "p99.ack": p99 ?? 0 };
    });
  },
});
