import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProtobufPlane } from "@aieffect/data-plane-protobuf";
import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";
import { expect, it, onTestFinished } from "vitest";
import { startService } from "../../test/start-service.ts";
import type { FeederReadings, FeederReport } from "../feeder/messages.ts";
import { peerRpc } from "../plane.ts";

const sample = new URL("../../sample-data/readings.csv", import.meta.url);

it("checks the sample data", async () => {
  const { run } = await startService();
  const { message } = await run<FeederReport>("CheckFeeder", { csv: await readFile(sample, "utf8") });
  expect(message).toMatchObject({ readings: 96, violations: [{ from: "2025-01-06T12:00:00Z" }] });
});

it("fetches readings from a meter's service", async () => {
  const readFeeder = peerRpc<FeederReadings>("feeder-meter.proto", "FeederMeterService", "ReadFeeder");
  const meterPlane = createProtobufPlane({
    services: [{ ReadFeeder: readFeeder }],
    port: 0,
    host: "127.0.0.1",
  });
  const readings = [{ timestamp: "2025-01-06T00:00:00Z", voltage: 300, load: 1 }];
  const read = defineOperation({
    name: "ReadFeeder",
    run: (ctx) => meterPlane.publish(readFeeder, { readings }, ctx),
  });
  const data_dir = await mkdtemp(join(tmpdir(), "service-test-"));
  const meter = await serve(
    sequentialService({
      operations: [read],
      planes: [meterPlane],
      data_dir,
      log_level: "silent",
      self_url: "http://127.0.0.1",
    }),
    { host: "127.0.0.1", port: 0, handle_signals: false },
  );
  onTestFinished(async () => {
    await meter.close();
    await rm(data_dir, { recursive: true, force: true });
  });
  const call = { method: "ReadFeeder", workflow_id: "wf-test", task_id: "meter-1", inputs: [] };
  const answer = await fetch(`${meter.url}/control/execute`, { method: "POST", body: JSON.stringify(call) });
  const { output } = (await answer.json()) as { output: { protocol: string; uri: string; format: string } };

  const { run } = await startService();
  const { message } = await run<FeederReport>("CheckFeeder", { reference: output });
  expect(message).toMatchObject({ readings: 1, highest_voltage: 300 });
});

it("says what is wrong with a file", async () => {
  const { run } = await startService();
  await expect(run("CheckFeeder", { csv: "timestamp,load\n" })).rejects.toThrow(
    'Expected the column "voltage" in the header, found "timestamp,load"',
  );
});
