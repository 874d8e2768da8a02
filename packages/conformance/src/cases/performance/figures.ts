/** One figure that a run measures. */
export interface Figure {
  /** The case that measures it. */
  case: string;
  unit: "ms" | "ms per 1,000 tasks" | "ms per MiB" | "bytes" | "per second" | "files" | "exponent";
  /** Which side of its budget is good. */
  better: "lower" | "higher";
  /** What it is, in one sentence. */
  means: string;
}

/** Every figure that a budget can be given for, as in `--budget p95.ack=300ms,rss.per-task=16KiB`. */
export const figures = {
  "p50.ack": {
    case: "P01",
    unit: "ms",
    better: "lower",
    means: "Half of the calls to execute are answered in this time.",
  },
  "p95.ack": {
    case: "P01",
    unit: "ms",
    better: "lower",
    means: "95 of 100 calls to execute are answered in this time.",
  },
  "p99.ack": {
    case: "P01",
    unit: "ms",
    better: "lower",
    means: "99 of 100 calls to execute are answered in this time.",
  },
  "p99.poll": {
    case: "P02",
    unit: "ms",
    better: "lower",
    means: "99 of 100 statuses are answered in this time while 64 tasks run.",
  },
  "growth.poll": {
    case: "P02",
    unit: "ms per 1,000 tasks",
    better: "lower",
    means: "So much slower a status is with every 1,000 tasks that the service has in store.",
  },
  knee: {
    case: "P03",
    unit: "per second",
    better: "higher",
    means: "The highest rate of calls to execute at which answers come as promptly as at a low one.",
  },
  goodput: {
    case: "P03",
    unit: "per second",
    better: "higher",
    means:
      "The most calls to execute that are answered well in a second, whatever the rate at which they come.",
  },
  "slope.payload": {
    case: "P04",
    unit: "ms per MiB",
    better: "lower",
    means: "What another MiB of inline input costs.",
  },
  "exponent.payload": {
    case: "P04",
    unit: "exponent",
    better: "lower",
    means: "How time grows with the size of an inline input: 1 is in proportion, 2 with its square.",
  },
  "rss.payload": {
    case: "P04",
    unit: "bytes",
    better: "lower",
    means: "Memory that the largest inline inputs take at their peak; needs --spawn.",
  },
  "rss.per-task": {
    case: "P05",
    unit: "bytes",
    better: "lower",
    means: "Memory that every task leaves behind; needs --spawn.",
  },
  "files.per-task": {
    case: "P05",
    unit: "files",
    better: "lower",
    means: "Open files and sockets that every task leaves behind; needs --spawn.",
  },
  startup: {
    case: "P06",
    unit: "ms",
    better: "lower",
    means: "From start to a healthy service; needs --spawn.",
  },
  "p99.health": {
    case: "P06",
    unit: "ms",
    better: "lower",
    means: "99 of 100 calls to /health are answered in this time while 16 callers call execute.",
  },
  "poll-tax": {
    case: "P06",
    unit: "ms",
    better: "lower",
    means:
      "So much later than with a long poll an orchestrator that polls every 5 s sees the sample slow end.",
  },
} as const satisfies Record<string, Figure>;

/** As in `p95.ack`. */
export type FigureName = keyof typeof figures;

/** Names in a budget that are no figures. */
export function unknownFigures(budget: Readonly<Record<string, number>>): string[] {
  return Object.keys(budget).filter((name) => !Object.hasOwn(figures, name));
}

/** Whether a budget names a figure of a case, which then is judged like a MUST. */
export function isBudgeted(id: string, budget: Readonly<Record<string, number>>): boolean {
  return Object.entries(figures).some(([name, figure]) => figure.case === id && name in budget);
}
