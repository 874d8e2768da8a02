import { type ForecastOptions, forecast, type Smoothing } from "./forecast.ts";

const levels = [0.05, 0.2, 0.5];
const trends = [0, 0.05];
const seasons = [0.05, 0.2, 0.4];

/** Where a model is looked for. */
export interface SearchOptions extends Pick<ForecastOptions, "season" | "steps"> {
  /** So long it is looked for at random, after the usual models were tried. 0: only those. */
  search_ms: number;
}

/**
 * The smoothing that forecast the end of the history best, judged by the mean absolute error.
 *
 * @param pause called between two tries with the percentage done
 */
export async function chooseModel(
  values: readonly number[],
  { season, steps, search_ms }: SearchOptions,
  pause: (percent: number) => Promise<void>,
): Promise<Smoothing & { mean_error_kw: number }> {
  // A third of a short history is kept back, so that two thirds are there to learn from.
  const held = Math.min(steps, Math.max(1, Math.floor(values.length / 3)));
  const [past, recent] = [values.slice(0, -held), values.slice(-held)];
  const tries = levels.flatMap((level) =>
    trends.flatMap((trend) => seasons.map((season_weight) => ({ level, trend, season_weight }))),
  );
  const judge = (smoothing: Smoothing) => {
    const rows = forecast(past, { season, steps: held, ...smoothing });
    const errors = rows.map(({ load_kw }, ahead) => Math.abs(load_kw - (recent[ahead] as number)));
    return { ...smoothing, mean_error_kw: errors.reduce((sum, error) => sum + error, 0) / held };
  };
  const judged: (Smoothing & { mean_error_kw: number })[] = [];
  const share = search_ms > 0 ? 10 : 100;
  for (const [at, smoothing] of tries.entries()) {
    await pause(Math.round((share * at) / tries.length));
    judged.push(judge(smoothing));
  }
  let found = judged.reduce((best, one) => (one.mean_error_kw < best.mean_error_kw ? one : best));
  const began = performance.now();
  for (let passed = 0; passed < search_ms; passed = performance.now() - began) {
    await pause(Math.round(share + ((100 - share) * passed) / search_ms));
    const one = judge({
      level: Math.random(),
      trend: Math.random() * 0.2,
      season_weight: Math.random(),
    });
    if (one.mean_error_kw < found.mean_error_kw) found = one;
  }
  return found;
}
