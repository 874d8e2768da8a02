import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What the service counts; `/metrics` prints it for Prometheus. */
export interface Metrics {
  /** A task began; call the result with its last status. */
  started(operation: string): (state: "complete" | "failed") => void;
  /** A call to a data plane began; call the result with the code that it was answered with, in the plane's words. */
  called(plane: string, method: string): (code: string) => void;
  /** The text of /metrics and its media type. */
  print(): Promise<{ text: string; media_type: string }>;
}

const buckets_s = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 30, 60, 300, 1800, 7200];

/** Plain numbers, and labels looked up once: a task must not pay for metrics that nobody scrapes. */
interface Counted {
  counts: { started: number; complete: number; failed: number };
  durations: Record<"complete" | "failed", { observe(value: number): void }>;
}

/** A registry of its own, so that several services in one process do not mix. */
export function createMetrics(queue: () => { running: number; waiting: number }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const byOperation = new Map<string, Counted>();
  new Counter({
    name: "aieffect_tasks_total",
    help: "Tasks by operation and state: started, complete, failed",
    labelNames: ["operation", "state"],
    registers,
    collect() {
      this.reset();
      for (const [operation, { counts }] of byOperation) {
        for (const [state, count] of Object.entries(counts)) this.inc({ operation, state }, count);
      }
    },
  });
  new Gauge({
    name: "aieffect_tasks_in_flight",
    help: "Tasks that run now, by operation",
    labelNames: ["operation"],
    registers,
    collect() {
      for (const [operation, { counts }] of byOperation) {
        const { started, complete, failed } = counts;
        this.set({ operation }, started - complete - failed);
      }
    },
  });
  new Gauge({
    name: "aieffect_tasks_queued",
    help: "Tasks that wait for their turn",
    registers,
    collect() {
      this.set(queue().waiting);
    },
  });
  const durations = new Histogram({
    name: "aieffect_task_duration_seconds",
    help: "From the start of an operation to its end",
    labelNames: ["operation", "state"],
    buckets: buckets_s,
    registers,
  });
  const calls = new Counter({
    name: "aieffect_data_plane_calls_total",
    help: "Calls that data planes answered, by plane, method and code",
    labelNames: ["plane", "method", "code"],
    registers,
  });
  const callDurations = new Histogram({
    name: "aieffect_data_plane_call_duration_seconds",
    help: "From a call to a data plane to its status",
    labelNames: ["plane", "method"],
    buckets: buckets_s,
    registers,
  });

  return {
    called(plane, method) {
      const began = performance.now();
      return (code) => {
        calls.inc({ plane, method, code });
        callDurations.observe({ plane, method }, (performance.now() - began) / 1000);
      };
    },
    started(operation) {
      const began = performance.now();
      let counted = byOperation.get(operation);
      if (counted === undefined) {
        const of = (state: string) => durations.labels({ operation, state });
        counted = {
          counts: { started: 0, complete: 0, failed: 0 },
          durations: { complete: of("complete"), failed: of("failed") },
        };
        byOperation.set(operation, counted);
      }
      const { counts, durations: observed } = counted;
      counts.started++;
      return (state) => {
        counts[state]++;
        observed[state].observe((performance.now() - began) / 1000);
      };
    },
    async print() {
      return { text: await registry.metrics(), media_type: registry.contentType };
    },
  };
}
