import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What the service counts; `/metrics` prints it for Prometheus. */
export interface Metrics {
  /** A task began; call the result with its last status. */
  started(operation: string): (status: string) => void;
  /** The text of /metrics and its media type. */
  print(): Promise<{ text: string; media_type: string }>;
}

/** A registry of its own, so that several services in one process do not mix. */
export function createMetrics(queue: () => { running: number; waiting: number }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const tasks = new Counter({
    name: "aieffect_tasks_total",
    help: "Tasks by operation and state: started, complete, failed",
    labelNames: ["operation", "state"],
    registers,
  });
  const durations = new Histogram({
    name: "aieffect_task_duration_seconds",
    help: "From the start of an operation to its end",
    labelNames: ["operation", "state"],
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 30, 60, 300, 1800, 7200],
    registers,
  });
  const inFlight = new Gauge({
    name: "aieffect_tasks_in_flight",
    help: "Tasks that run now, by operation",
    labelNames: ["operation"],
    registers,
  });
  new Gauge({
    name: "aieffect_tasks_queued",
    help: "Tasks that wait for their turn",
    registers,
    collect() {
      this.set(queue().waiting);
    },
  });

  return {
    started(operation) {
      const began = performance.now();
      tasks.inc({ operation, state: "started" });
      inFlight.inc({ operation });
      return (state) => {
        tasks.inc({ operation, state });
        inFlight.dec({ operation });
        durations.observe({ operation, state }, (performance.now() - began) / 1000);
      };
    },
    async print() {
      return { text: await registry.metrics(), media_type: registry.contentType };
    },
  };
}
