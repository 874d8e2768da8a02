import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInlineReference } from "@aieffect/control-interface";
import { startOperation } from "@aieffect/energy-services/testing";
import { describe, expect, it } from "vitest";
import { analyzeData } from "./operation.ts";

const header = "timestamp,household_id,power_consumption,voltage,current";

async function startWith(rows: readonly string[], head = header) {
  const service = await startOperation(analyzeData);
  const uri = join(service.data_dir, "raw.csv");
  await writeFile(uri, `${[head, ...rows].join("\n")}\n`);
  return { ...service, input: { protocol: "file", uri, format: "csv" } as const };
}

describe("AnalyzeData", () => {
  it("computes the efficiency and marks what is too low or too high", async () => {
    const { run, input } = await startWith([
      "t1,HH-001,460.00,230,2.5",
      "t2,HH-001,250,230,2.5",
      "t3,HH-001,575,230,2.5",
      "t4,HH-001,100,0,2.5",
      't5,"HH,001",460,230,2.5',
    ]);
    const output = await run([input]);
    expect(await readFile(output.uri, "utf8")).toBe(
      [
        "timestamp,household_id,power,efficiency,status,anomaly_detected",
        "t1,HH-001,460.00,0.8000,normal,false",
        "t2,HH-001,250,0.4348,anomaly,true",
        "t3,HH-001,575,1.0000,anomaly,true",
        "t4,HH-001,100,0.0000,anomaly,true",
        't5,"HH,001",460,0.8000,normal,false',
        "",
      ].join("\n"),
    );
  });

  it("takes the threshold from the parameters and from an inline JSON input", async () => {
    const { run, input } = await startWith(["t1,HH-001,460,230,2.5"]);
    const last = async (uri: string) => (await readFile(uri, "utf8")).trimEnd().split(",").at(-1);
    expect(await last((await run([input], { anomaly_threshold: 0.9 })).uri)).toBe("true");
    const configured = await run([createInlineReference('{"anomaly_threshold":0.9}', "json"), input]);
    expect(await last(configured.uri)).toBe("true");
  });

  it("reads the columns by their names", async () => {
    const { run, input } = await startWith(
      ["2.5,note,230,460,HH-001,t1"],
      "current,remark,voltage,power_consumption,household_id,timestamp",
    );
    expect(await readFile((await run([input])).uri, "utf8")).toContain(
      "\nt1,HH-001,460,0.8000,normal,false\n",
    );
  });

  it("names row and column of a cell that is no number, and leaves no result behind", async () => {
    const rows = Array.from({ length: 30 }, () => "t1,HH-001,460,230,2.5");
    rows[15] = "t1,HH-001,460,abc,2.5";
    const { run, input, client } = await startWith(rows);
    await expect(run([input])).rejects.toThrow('Row 17, column "voltage": expected a number, found "abc"');
    await expect(client.output("task_1")).rejects.toThrow("Task not complete");
  });

  it("names row and columns of an efficiency that is no finite number", async () => {
    const { run, input } = await startWith(["t1,HH-001,460,230,2.5", "t2,HH-001,1e300,1e-5,1e-10"]);
    await expect(run([input])).rejects.toThrow(
      'Row 3, columns "power_consumption", "voltage" and "current": expected an efficiency that is a finite number, found 1e300 / (1e-5 * 1e-10)',
    );
  });

  it("takes nothing but one CSV file", async () => {
    const { run, input } = await startWith(["t1,HH-001,460,230,2.5"]);
    await expect(run([])).rejects.toThrow("AnalyzeData takes one input, the CSV of energy readings; found 0");
    await expect(run([input, input])).rejects.toThrow(
      "AnalyzeData takes one input, the CSV of energy readings; found 2",
    );
    const inline = createInlineReference(`${header}\n`, "csv");
    await expect(run([inline])).rejects.toThrow(
      "Expected input 1 to have protocol file and format csv, found inline and csv",
    );
  });
});
