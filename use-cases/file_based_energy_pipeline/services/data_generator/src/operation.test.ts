import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInlineReference } from "@aieffect/control-interface";
import { startOperation } from "@aieffect/energy-services/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { generateRows } from "./generate-rows.ts";
import { generateData } from "./operation.ts";

const sound =
  "timestamp,household_id,power_consumption,voltage,current\n2025-01-01T00:00:00Z,HH-001,460,230,2.5\n";

async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, "utf8")).trimEnd().split("\n");
}

describe("GenerateData without data", () => {
  it("generates as many readings as the inline configuration says, as a file of the task", async () => {
    const { run, data_dir } = await startOperation(generateData);
    const output = await run([createInlineReference('{"num_records":25,"output_format":"csv"}', "json")]);
    expect(output).toMatchObject({
      protocol: "file",
      format: "csv",
      uri: join(data_dir, "wf-test", "task_1", "raw_energy.csv"),
    });
    const [header, ...rows] = await linesOf(output.uri);
    expect(header).toBe("timestamp,household_id,power_consumption,voltage,current");
    expect(rows).toHaveLength(25);
  });

  it("generates the same from the same seed, and tells the seed it took", async () => {
    const { run } = await startOperation(generateData);
    const first = await run([], { num_records: 50 });
    const seed = first.metadata?.seed;
    const again = await run([], { num_records: 50, seed });
    const other = await run([], { num_records: 50, seed: Number(seed) + 1 });
    expect(again.checksum).toBe(first.checksum);
    expect(other.checksum).not.toBe(first.checksum);
  });

  it("begins at the start time and steps by the interval", async () => {
    const { run } = await startOperation(generateData);
    const output = await run([], {
      num_records: 6,
      start_time: "2024-02-29T23:30:00+01:00",
      interval_s: 7200,
    });
    const times = (await linesOf(output.uri)).slice(1).map((row) => row.split(",")[0]);
    expect(times).toEqual([...Array(5).fill("2024-02-29T22:30:00Z"), "2024-03-01T00:30:00Z"]);
  });

  it("keeps sound rows within the power factor and about 5 % outside of it", () => {
    const plan = { num_records: 20_000, seed: 1, start_ms: 0, interval_ms: 900_000 };
    const rows = [...generateRows(plan)].join("").trimEnd().split("\n").slice(1);
    const factors = rows.map((row) => {
      const [, , power, voltage, current] = row.split(",").map(Number);
      return (power ?? 0) / ((voltage ?? 0) * (current ?? 0));
    });
    const faulty = factors.filter((factor) => factor < 0.599 || factor > 0.941);
    expect(faulty.length / rows.length).toBeGreaterThan(0.04);
    expect(faulty.length / rows.length).toBeLessThan(0.06);
    expect(faulty.every((factor) => factor < 0.46 || factor > 0.96)).toBe(true);
  });

  it("made the sample data", async () => {
    const plan = {
      num_records: 720,
      seed: 2025,
      start_ms: Date.parse("2025-03-03T00:00:00Z"),
      interval_ms: 3_600_000,
    };
    const sample = new URL("../../../sample-data/household-energy.csv", import.meta.url);
    expect([...generateRows(plan)].join("")).toBe(await readFile(sample, "utf8"));
  });

  it.each([
    [{ num_records: 0 }, "num_records"],
    [{ num_records: 50_000_001 }, "num_records"],
    [{ num_records: "10" }, "num_records"],
    [{ output_format: "parquet" }, "output_format"],
    [{ start_time: "yesterday" }, "start_time"],
  ])("refuses %j", async (parameters, name) => {
    const { run } = await startOperation(generateData);
    await expect(run([], parameters)).rejects.toThrow(`Invalid parameters of GenerateData. ${name}: `);
  });
});

describe("GenerateData with a CSV", () => {
  it("checks a file and passes its reference on unchanged", async () => {
    const { run, data_dir } = await startOperation(generateData);
    const uri = join(data_dir, "mine.csv");
    await writeFile(uri, sound);
    const reference = { protocol: "file", uri, format: "csv", metadata: { source: "meter" } } as const;
    expect(await run([reference])).toMatchObject(reference);
  });

  it("stores an inline CSV on shared storage", async () => {
    const { run, data_dir } = await startOperation(generateData);
    const output = await run([createInlineReference(sound, "csv")]);
    expect(output.protocol).toBe("file");
    expect(output.uri.startsWith(join(data_dir, "wf-test", "task_1"))).toBe(true);
    expect(await readFile(output.uri, "utf8")).toBe(sound);
  });

  it("stores a CSV that is fetched over http on shared storage", async () => {
    const peer = createServer((_, response) => response.setHeader("content-type", "text/csv").end(sound));
    await new Promise<void>((resolve) => peer.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void peer.close());
    const { run } = await startOperation(generateData);
    const uri = `http://127.0.0.1:${(peer.address() as AddressInfo).port}/raw.csv`;
    const output = await run([{ protocol: "http", uri, format: "csv" }]);
    expect(output.protocol).toBe("file");
    expect(await readFile(output.uri, "utf8")).toBe(sound);
  });

  it.each([
    [
      "a cell that is no number",
      sound.replace("230", "abc"),
      'Row 2, column "voltage": expected a number, found "abc"',
    ],
    [
      "a missing column",
      sound.replace("voltage", "volts"),
      'Row 1: expected the column "voltage" in the header',
    ],
    ["a missing cell", sound.replace(",2.5", ""), "Row 2: expected 5 cells like the header, found 4"],
    [
      "no timestamp",
      sound.replace("2025-01-01T00:00:00Z", ""),
      'Row 2, column "timestamp": expected a point in time, found ""',
    ],
    [
      "no rows",
      sound.slice(0, sound.indexOf("\n") + 1),
      "Expected at least one row below the header, found none",
    ],
  ])("refuses %s, inline and in a file", async (_, csv, message) => {
    const { run, data_dir } = await startOperation(generateData);
    await expect(run([createInlineReference(csv, "csv")])).rejects.toThrow(message);
    const uri = join(data_dir, "mine.csv");
    await writeFile(uri, csv);
    await expect(run([{ protocol: "file", uri, format: "csv" }])).rejects.toThrow(message);
  });

  it("names a file that is not there", async () => {
    const { run, data_dir } = await startOperation(generateData);
    const uri = join(data_dir, "nothing.csv");
    await expect(run([{ protocol: "file", uri, format: "csv" }])).rejects.toThrow(uri);
  });
});
