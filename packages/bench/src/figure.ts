/** One measured figure. */
export interface Figure {
  bench: string;
  metric: string;
  value: number;
  /** e.g. `requests/s`, `ms`, `MiB`. */
  unit: string;
  /** What the value was divided by; null where there is nothing to compare with. */
  baseline: string | null;
  /** value / the baseline's value of the same run; null without a baseline. */
  ratio: number | null;
}

/** A measurement: its name is what the command line takes. */
export interface Bench {
  name: string;
  /** What is measured, and what would be good. */
  about: string;
  run(report: (figure: Omit<Figure, "bench">) => void): Promise<void>;
}

/** The middle of some values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The least of the values that so many per cent of them do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil((sorted.length * percent) / 100), 1) - 1] ?? Number.NaN;
}
