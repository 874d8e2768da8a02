/** How fast level, trend and season follow what is new, each from 0 to 1. */
export interface Smoothing {
  level: number;
  trend: number;
  season_weight: number;
}

/** What is forecast, and how. */
export interface ForecastOptions extends Smoothing {
  /** After so many values the load repeats itself. */
  season: number;
  /** So many values are forecast. */
  steps: number;
}

/** A forecast value, and the range that nine of ten fell into one step ahead, wider with each step. */
export interface ForecastRow {
  load_kw: number;
  low_kw: number;
  high_kw: number;
}

/** Additive Holt-Winters with a damped trend. Without two whole seasons the load has no season. */
export function forecast(values: readonly number[], options: ForecastOptions): ForecastRow[] {
  const { season: given, steps, level: alpha, trend: beta, season_weight: gamma } = options;
  const season = values.length >= 2 * given ? given : 1;
  const seasonal = initialSeason(values, season);
  let level = mean(values.slice(0, season));
  let trend = 0;
  const errors: number[] = [];
  for (const [at, value] of values.entries()) {
    const usual = seasonal[at % season] ?? 0;
    const expected = level + damping * trend + usual;
    if (at >= season) errors.push(Math.abs(value - expected));
    const before = level;
    level = alpha * (value - usual) + (1 - alpha) * (level + damping * trend);
    trend = beta * (level - before) + (1 - beta) * damping * trend;
    if (season > 1) seasonal[at % season] = gamma * (value - level) + (1 - gamma) * usual;
  }
  const width = quantile(errors, 0.9);
  let damped = 0;
  return Array.from({ length: steps }, (_, ahead) => {
    damped += damping ** (ahead + 1);
    const load_kw = level + damped * trend + (seasonal[(values.length + ahead) % season] ?? 0);
    const reach = width * Math.sqrt(1 + ahead * alpha ** 2);
    return { load_kw, low_kw: load_kw - reach, high_kw: load_kw + reach };
  });
}

/** A trend fades: load does not grow for ever. */
const damping = 0.9;

/** The mean difference to its own season's mean, at each place of the season. */
function initialSeason(values: readonly number[], season: number): number[] {
  const sums = new Array<number>(season).fill(0);
  if (season === 1) return sums;
  const whole = Math.floor(values.length / season);
  for (let round = 0; round < whole; round++) {
    const one = values.slice(round * season, (round + 1) * season);
    const usual = mean(one);
    for (const [at, value] of one.entries()) sums[at] = (sums[at] as number) + (value - usual) / whole;
  }
  return sums;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
