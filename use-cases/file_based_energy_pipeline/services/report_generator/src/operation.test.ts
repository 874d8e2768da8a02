import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { startOperation } from "@aieffect/energy-services/testing";
import { describe, expect, it } from "vitest";
import { generateReport } from "./operation.ts";

const header = "timestamp,household_id,power,efficiency,status,anomaly_detected";

async function startWith(rows: readonly string[]) {
  const service = await startOperation(generateReport);
  const uri = join(service.data_dir, "analyzed.csv");
  await writeFile(uri, `${[header, ...rows].join("\n")}\n`);
  return { ...service, input: { protocol: "file", uri, format: "csv" } as const };
}

describe("GenerateReport", () => {
  it("sums the readings up as metrics", async () => {
    const { run, input } = await startWith([
      "2025-01-01T00:00:00Z,HH-001,460,0.8000,normal,false",
      "2025-01-01T00:15:00Z,HH-001,1250.555,0.4348,anomaly,true",
      "2025-01-01T00:30:00Z,HH-001,90,0.7000,normal,False",
    ]);
    const output = await run([input]);
    expect(output).toMatchObject({ protocol: "file", format: "csv" });
    expect(await readFile(output.uri, "utf8")).toBe(
      [
        "metric,value",
        "Total Records,3",
        "Anomalies Detected,1",
        "Average Efficiency,0.645",
        "Max Power (W),1250.56",
        "Min Power (W),90.00",
        "Anomaly Rate (%),33.33",
        "",
      ].join("\n"),
    );
  });

  it("writes a page beside it that shows the metrics and every anomaly without a network", async () => {
    const rows = Array.from({ length: 100 }, (_, index) => {
      const time = new Date(Date.UTC(2025, 0, 1) + index * 3_600_000).toISOString();
      return `${time},HH-001,${100 + index},0.8,${index % 20 === 0 ? "anomaly,True" : "normal,false"}`;
    });
    const { run, input } = await startWith(rows);
    const output = await run([input]);
    const path = String(output.metadata?.html_report);
    expect(path).toBe(join(dirname(output.uri), "report.html"));
    const page = await readFile(path, "utf8");
    expect(page).toContain('<th scope="row">Anomaly Rate (%)</th><td>5.00</td>');
    expect(page.match(/<circle class="anomaly"/g)).toHaveLength(5);
    expect(page).toContain("<title>1 of 1 readings, up to 180.00 W</title>");
    expect(page).toContain("Power per reading (W)");
    expect(page).toContain("Time (UTC)");
    expect(page).not.toMatch(/<script|<link|https?:|NaN|Infinity|undefined/);
  });

  it("says what all-equal powers and a single reading look like", async () => {
    const { run, input } = await startWith(["2025-01-01T00:00:00Z,HH-001,0,0.0000,anomaly,true"]);
    const output = await run([input]);
    const metrics = await readFile(output.uri, "utf8");
    expect(metrics).toContain("Max Power (W),0.00\nMin Power (W),0.00\nAnomaly Rate (%),100.00\n");
    expect(await readFile(String(output.metadata?.html_report), "utf8")).not.toMatch(/NaN|Infinity/);
  });

  it.each([
    [["1e-150", "-1e-200"], ["Max Power (W),0.00\n"]],
    [["5e-324"], ["Min Power (W),0.00\n"]],
    [["1e308", "1e308", "-1e308"], ["Max Power (W),1e+308\nMin Power (W),-1e+308\n"]],
    [["1.7976931348623157e308", "-1.7976931348623157e308"], ["Max Power (W),1.7976931348623157e+308\n"]],
  ])("plots powers of %j", async (powers, metrics) => {
    const { run, input } = await startWith(
      powers.map((power) => `2025-01-01,HH-001,${power},0.8,normal,true`),
    );
    const output = await run([input]);
    for (const text of metrics) expect(await readFile(output.uri, "utf8")).toContain(text);
    const page = await readFile(String(output.metadata?.html_report), "utf8");
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
    for (const [, label] of page.matchAll(/<text class="level"[^>]*>([^<]*)</g)) {
      expect(label?.length).toBeLessThanOrEqual(11);
    }
  });

  it.each([
    ["1e308", "1e+308"],
    ["-1.7976931348623157e308", "-1.7976931348623157e+308"],
  ])("averages two efficiencies of %s", async (efficiency, average) => {
    const row = `2025-01-01,HH-001,1,${efficiency},anomaly,true`;
    const { run, input } = await startWith([row, row]);
    expect(await readFile((await run([input])).uri, "utf8")).toContain(`Average Efficiency,${average}\n`);
  });

  it("plots by row where timestamps are not ISO 8601, and tells of those that are not", async () => {
    const named = await startWith(["<b>,HH-001,1,0.8,normal,false", "x,HH-001,2,0.8,normal,false"]);
    const byRow = await readFile(String((await named.run([named.input])).metadata?.html_report), "utf8");
    expect(byRow).toContain("the plot goes by the rows of the file");
    expect(byRow).not.toContain("<b>");
    const mixed = await startWith(["2025-01-01,HH-001,1,0.8,normal,false", "x,HH-001,2,0.8,normal,false"]);
    const byTime = await readFile(String((await mixed.run([mixed.input])).metadata?.html_report), "utf8");
    expect(byTime).toContain("1 readings have a timestamp that is not ISO 8601");
  });

  it.each([
    [
      "t,HH-001,1,0.8,normal,maybe",
      'Row 2, column "anomaly_detected": expected true or false, found "maybe"',
    ],
    ["t,HH-001,x,0.8,normal,true", 'Row 2, column "power": expected a number, found "x"'],
    ["t,HH-001,1,,normal,true", 'Row 2, column "efficiency": expected a number, found ""'],
  ])("refuses %s", async (row, message) => {
    const { run, input } = await startWith([row]);
    await expect(run([input])).rejects.toThrow(message);
  });
});
