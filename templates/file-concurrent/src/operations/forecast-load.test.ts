import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { startService } from "../../test/start-service.ts";

const sample = new URL("../../sample-data/load.csv", import.meta.url);

it("forecasts the day after the sample data", async () => {
  const { run } = await startService();
  const { text, output } = await run("ForecastLoad", { csv: await readFile(sample, "utf8") });
  const [header, first, ...rest] = text.trim().split("\n");
  expect(header).toBe("timestamp,load_kw,low_kw,high_kw");
  expect(first).toMatch(/^2025-01-20T00:00:00\.000Z,/);
  expect(rest).toHaveLength(23);
  // The mean load of the sample is 18 kW.
  expect(output.metadata?.mean_error_kw).toBeLessThan(2);
});

it("says what is wrong with a file", async () => {
  const { run } = await startService();
  await expect(run("ForecastLoad", { csv: "timestamp,power\n2025-01-06,1\n" })).rejects.toThrow(
    'Expected the column "load_kw" in the header, found "timestamp,power"',
  );
});
