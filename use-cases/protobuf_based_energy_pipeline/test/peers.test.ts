import { createInlineReference, type DataReference } from "@aieffect/control-interface";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { DataAnalyzerServiceService as Analyzer } from "../generated/data_analyzer.ts";
import { generateRecords } from "../services/data_generator/src/generate-records.ts";
import { createDeployedClient, startDeployedServer } from "./deployed.ts";
import { expectedReport, planOf } from "./expected-report.ts";
import { startAnalyzer, startGenerator, startReporter } from "./services.ts";

const configured = (num_records: number, seed: number) => [
  createInlineReference(JSON.stringify({ num_records, seed }), "json"),
];
const bare = (uri: string, format: string): DataReference => ({ protocol: "grpc", uri, format });

/** Records of a plan as a deployed service spells them. */
const wireRecords = (num_records: number, seed: number) =>
  [...generateRecords(planOf(num_records, seed))].map((record) => ({
    timestamp: record.timestamp,
    household_id: record.householdId,
    power_consumption: record.powerConsumption,
    voltage: record.voltage,
    current: record.current,
  }));

describe("a client that knows only the deployed protos", () => {
  it("gets the newest result of each service, and NOT_FOUND before there is one", async () => {
    const [generator, analyzer, reporter] = await Promise.all([
      startGenerator(),
      startAnalyzer(),
      startReporter(),
    ]);
    const clients = {
      generator: await createDeployedClient("data_generator.DataGeneratorService", generator.address),
      analyzer: await createDeployedClient("data_analyzer.DataAnalyzerService", analyzer.address),
      reporter: await createDeployedClient("report_generator.ReportGeneratorService", reporter.address),
    };
    for (const ask of [
      () => clients.generator.ask("GenerateData"),
      () => clients.analyzer.ask("AnalyzeData"),
      () => clients.reporter.ask("GenerateReport"),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: status.NOT_FOUND });
    }
    for (const [records, seed] of [
      [12, 1],
      [30, 2],
    ] as const) {
      const analysis = await analyzer.run([await generator.run(configured(records, seed))]);
      await reporter.run([analysis]);
      expect((await clients.generator.ask("GenerateData")).records).toEqual(wireRecords(records, seed));
      const analyzed = await clients.analyzer.ask("AnalyzeData");
      expect(analyzed).toMatchObject({ success: true, total_records: records });
      expect(analyzed.analyzed_records.map(({ original }: { original: unknown }) => original)).toEqual(
        wireRecords(records, seed),
      );
      const { sections, summary } = await expectedReport(planOf(records, seed));
      expect(await clients.reporter.ask("GenerateReport")).toMatchObject({
        success: true,
        sections,
        summary,
      });
    }
  });

  it("finds the services through reflection, and hears that they serve", async () => {
    for (const [{ address }, name] of [
      [await startGenerator(), "data_generator.DataGeneratorService"],
      [await startAnalyzer(), "data_analyzer.DataAnalyzerService"],
      [await startReporter(), "report_generator.ReportGeneratorService"],
    ] as const) {
      const reflection = await createDeployedClient("grpc.reflection.v1.ServerReflection", address);
      const listed = await reflection.askStream("ServerReflectionInfo", { list_services: "*" });
      const names = listed.list_services_response.service.map((one: { name: string }) => one.name);
      expect(names).toContain(name);
      const described = await reflection.askStream("ServerReflectionInfo", { file_containing_symbol: name });
      const files: Buffer[] = described.file_descriptor_response.file_descriptor_proto;
      expect(files.map((file) => file.toString("latin1")).join()).toContain("EnergyRecord");
      const health = await createDeployedClient("grpc.health.v1.Health", address);
      for (const service of ["", name])
        expect(await health.ask("Check", { service })).toEqual({ status: "SERVING" });
    }
  });
});

describe("a peer that serves only the deployed RPC", () => {
  it("is read by our analyzer, by a reference without metadata", async () => {
    const answers = [
      { success: true, message: "", records: wireRecords(40, 5) },
      { success: true, message: "", records: wireRecords(25, 6) },
    ];
    const uri = await startDeployedServer(
      "data_generator.DataGeneratorService",
      "GenerateData",
      () => answers.shift() ?? {},
    );
    const analyzer = await startAnalyzer();
    const analysis = await analyzer.run([bare(uri, "GenerateData")]);
    const found = await analyzer.plane.fetchMessage(analysis, Analyzer.analyzeData);
    expect(found.totalRecords).toBe(40);
    expect(found.analyzedRecords.map(({ original }) => original)).toEqual([
      ...generateRecords(planOf(40, 5)),
    ]);
    // Asked once: the next answer of such a peer could be another task's.
    expect(answers).toHaveLength(1);
  });

  it("is read by our report generator, and by our data generator", async () => {
    const records = wireRecords(3, 1).map((original, index) => ({
      original,
      efficiency_score: 0.95,
      is_anomaly: index === 0,
      anomaly_reason: index === 0 ? "Power deviates" : "",
    }));
    const analyzer = await startDeployedServer("data_analyzer.DataAnalyzerService", "AnalyzeData", () => ({
      success: true,
      analyzed_records: records,
      total_records: 3,
      // A deployed analyzer counts a record twice that has both; the report counts records.
      anomalies_detected: 2,
    }));
    const reporter = await startReporter();
    await reporter.run([bare(analyzer, "AnalyzeData")]);
    const asked = await createDeployedClient("report_generator.ReportGeneratorService", reporter.address);
    expect((await asked.ask("GenerateReport")).summary).toBe(
      "3 records of 3 households: 1 anomalies (33.33 %), average efficiency 95.00 %",
    );

    const provider = await startDeployedServer("input_provider.InputProvider", "GetConfiguration", () => ({
      success: true,
      num_records: 17,
    }));
    const generator = await startGenerator();
    await generator.run([bare(provider, "GetConfiguration")], { seed: 4 });
    const generated = await createDeployedClient("data_generator.DataGeneratorService", generator.address);
    expect((await generated.ask("GenerateData")).records).toEqual(wireRecords(17, 4));
  });

  it.each([
    [
      { success: false, message: "the meter is gone\u001b[2J" },
      "found that it failed: the meter is gone\\u001b[2J",
    ],
    [{}, "found that it failed: no message"],
    [{ success: true, records: [] }, "Expected at least one record, found none"],
    [
      { success: true, records: [{ household_id: "HH-001", timestamp: "now", voltage: Number.NaN }] },
      'Record 1 ("HH-001 now"): expected voltage to be a finite number, found NaN',
    ],
  ])("fails the analysis by answering %j", async (answer, message) => {
    const uri = await startDeployedServer(
      "data_generator.DataGeneratorService",
      "GenerateData",
      () => answer,
    );
    const analyzer = await startAnalyzer();
    await expect(analyzer.run([bare(uri, "GenerateData")])).rejects.toThrow(message);
  });

  it("fails the analysis by being gone, which is said with its name", async () => {
    const analyzer = await startAnalyzer();
    await expect(analyzer.run([bare("127.0.0.1:1", "GenerateData")])).rejects.toThrow("127.0.0.1:1");
  });
});

describe("input_provider's configuration", () => {
  it.each([0, -1, 50_000_001])("is refused with num_records %d, from a peer as well", async (num_records) => {
    const generator = await startGenerator();
    await expect(generator.run(configured(num_records, 1))).rejects.toThrow("num_records: ");
    const provider = await startDeployedServer("input_provider.InputProvider", "GetConfiguration", () => ({
      success: true,
      num_records,
    }));
    await expect(generator.run([bare(provider, "GetConfiguration")])).rejects.toThrow(
      `Expected num_records of GetConfiguration to be from 1 to 50000000, found ${num_records}`,
    );
  });
});
