import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { startService } from "../../test/start-service.ts";

const sample = new URL("../../sample-data/load.csv", import.meta.url);

it("cleans the sample data", async () => {
  const { run } = await startService();
  const { text, output } = await run("CleanLoad", { csv: await readFile(sample, "utf8") });
  const [header, ...rows] = text.trim().split("\n");
  expect(header).toBe("timestamp,load_kw,quality");
  // Seven days in quarters of an hour.
  expect(rows).toHaveLength(7 * 96);
  expect(output).toMatchObject({
    format: "csv",
    metadata: { outlier: 3, interpolated: 4, profile: 24, duplicates: 1 },
  });
});

it("says what is wrong with a file", async () => {
  const { run } = await startService();
  await expect(run("CleanLoad", { csv: "timestamp,power\n2025-01-06,1\n" })).rejects.toThrow(
    'Expected the column "load_kw" in the header, found "timestamp,power"',
  );
});
