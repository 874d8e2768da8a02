import { setImmediate as nextTurn } from "node:timers/promises";
import { defineOperation } from "@aieffect/service-kit";
import * as z from "zod";
import { chooseModel } from "../load/choose-model.ts";
import { forecast } from "../load/forecast.ts";
import { readHistory } from "../load/read-history.ts";

/** Forecasts a load series by Holt-Winters, with smoothing chosen by how well it did on the past. */
export const forecastLoad = defineOperation({
  name: "ForecastLoad",
  input: { formats: ["csv"] },
  output: { formats: ["csv"] },
  parameters: z.object({
    horizon_hours: z.number().positive().max(336).default(24).describe("How far the forecast reaches"),
    season_hours: z.number().positive().default(24).describe("After so long the load repeats itself"),
    search_seconds: z
      .number()
      .min(0)
      .max(3600)
      .default(0)
      .describe("So long further models are tried at random; 0 tries the usual ones, which is repeatable"),
  }),
  async run({ inputs, parameters, progress, publish, signal }) {
    const [input] = inputs;
    if (input === undefined)
      throw new Error("Expected a CSV with timestamp and load_kw as input, found none");
    const history = readHistory(await input.text());
    const season = Math.max(2, Math.round((parameters.season_hours * 3_600_000) / history.step));
    const steps = Math.max(1, Math.round((parameters.horizon_hours * 3_600_000) / history.step));
    const search_ms = parameters.search_seconds * 1000;
    const model = await chooseModel(history.values, { season, steps, search_ms }, async (percent) => {
      progress(percent, "trying models");
      // The service goes on answering, and a cancelled task ends here.
      await nextTurn(undefined, { signal });
    });
    const rows = forecast(history.values, { season, steps, ...model }).map(
      ({ load_kw, low_kw, high_kw }, at) => {
        const time = new Date(history.end + (at + 1) * history.step).toISOString();
        return `${time},${load_kw.toFixed(3)},${low_kw.toFixed(3)},${high_kw.toFixed(3)}\n`;
      },
    );
    return publish(["timestamp,load_kw,low_kw,high_kw\n", ...rows], {
      format: "csv",
      name: "forecast.csv",
      metadata: { ...model, readings: history.values.length },
    });
  },
});
