import { defineOperation } from "@aieffect/service-kit";
import * as z from "zod";
import { cleanSeries } from "../load/clean-series.ts";
import { readSeries } from "../load/read-series.ts";

/** A metered load series on a regular grid: gaps filled, outliers replaced, every value marked. */
export const cleanLoad = defineOperation({
  name: "CleanLoad",
  input: { formats: ["csv"] },
  output: { formats: ["csv"] },
  parameters: z.object({
    interval_minutes: z
      .number()
      .int()
      .min(1)
      .max(1440)
      .optional()
      .describe("Distance of two values of the result; by default the most frequent one of the input"),
    max_gap_minutes: z
      .number()
      .min(0)
      .default(120)
      .describe("Gaps up to it are interpolated, longer ones filled with the usual load at that time of day"),
    outlier_threshold: z
      .number()
      .positive()
      .default(8)
      .describe("So many robust standard deviations from its neighbours make a value an outlier"),
  }),
  async run({ inputs, parameters, publish, log }) {
    const [input] = inputs;
    if (input === undefined)
      throw new Error("Expected a CSV with timestamp and load_kw as input, found none");
    const { rows, counts } = cleanSeries(readSeries(await input.text()), parameters);
    log.info(counts, "cleaned");
    const lines = rows.map(
      ({ time, load_kw, quality }) => `${new Date(time).toISOString()},${load_kw.toFixed(3)},${quality}\n`,
    );
    return publish(["timestamp,load_kw,quality\n", ...lines], {
      format: "csv",
      name: "clean-load.csv",
      metadata: counts,
    });
  },
});
