import { describe, expect, it } from "vitest";
import { chooseModel } from "./choose-model.ts";
import { forecast } from "./forecast.ts";
import { readHistory } from "./read-history.ts";

const smoothing = { level: 0.2, trend: 0.05, season_weight: 0.2 };
const wave = (length: number) =>
  Array.from({ length }, (_, at) => 20 + 5 * Math.sin((2 * Math.PI * at) / 12));

describe("forecasting", () => {
  it("goes on with what repeats itself", () => {
    const all = wave(84);
    const rows = forecast(all.slice(0, 72), { season: 12, steps: 12, ...smoothing });
    for (const [at, { load_kw, low_kw, high_kw }] of rows.entries()) {
      expect(load_kw).toBeCloseTo(all[72 + at] as number, 1);
      expect(low_kw).toBeLessThanOrEqual(load_kw);
      expect(high_kw).toBeGreaterThanOrEqual(load_kw);
    }
  });

  it("takes a short history for one without a season", () => {
    const rows = forecast([5, 5, 5, 5, 5], { season: 96, steps: 2, ...smoothing });
    expect(rows.map(({ load_kw }) => load_kw)).toEqual([5, 5]);
  });

  it("chooses by the error on what it kept back, and tells how far it is", async () => {
    const percents: number[] = [];
    const chosen = await chooseModel(wave(72), { season: 12, steps: 12, search_ms: 0 }, async (percent) => {
      percents.push(percent);
    });
    expect(chosen.mean_error_kw).toBeLessThan(0.5);
    expect(percents).toEqual(percents.toSorted((one, other) => one - other));
    expect(percents.length).toBe(18);
  });

  it("finds no worse one by searching on", async () => {
    const options = { season: 12, steps: 12 };
    const usual = await chooseModel(wave(72), { ...options, search_ms: 0 }, async () => {});
    const searched = await chooseModel(wave(72), { ...options, search_ms: 50 }, async () => {});
    expect(searched.mean_error_kw).toBeLessThanOrEqual(usual.mean_error_kw);
  });

  it.each([
    ["timestamp,load_kw\n2025-01-06T00:00Z,1\n", "Expected at least 4 readings, found 1"],
    [
      "timestamp,load_kw\n2025-01-06T00:00Z,1\n2025-01-06T01:00Z,1\n2025-01-06T03:00Z,1\n2025-01-06T04:00Z,1\n",
      "Row 4: expected a load at 2025-01-06T02:00:00.000Z, found 2025-01-06T03:00:00.000Z; clean the series first",
    ],
  ])("refuses %j", (csv, message) => {
    expect(() => readHistory(csv)).toThrow(message);
  });
});
