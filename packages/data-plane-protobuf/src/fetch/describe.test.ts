import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";
import { tempFolder } from "@aieffect/test-support";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { expect, it, onTestFinished } from "vitest";
import { createProtobufPlane, type ProtobufPlane } from "../index.ts";
import { startPeer } from "../testing/peer.ts";
import { Generator, generated, start } from "../testing/start.ts";

const proto = fileURLToPath(new URL("../../testing/proto/data_generator.proto", import.meta.url));

/** A plane that knows no RPC. */
function fetching(): ProtobufPlane {
  const plane = createProtobufPlane({ fetch_backoff_ms: 1, fetch_retries: 1 });
  onTestFinished(() => plane.stop(0));
  return plane;
}

it("learns an RPC from its peer, imports included, and reads results with it", async () => {
  const service = await start(
    { GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated("a", 2), ctx) },
    { require_key: true },
    { api_key: "k-1" },
  );
  const { output } = await service.execute("GenerateData");
  const plane = createProtobufPlane({ peer_keys: { "127.0.0.1": "k-1" } });
  onTestFinished(() => plane.stop(0));
  const rpc = await plane.describe(output);
  expect(rpc).toMatchObject({ path: "/data_generator.DataGeneratorService/GenerateData" });
  if (rpc === undefined) return;
  const { bytes, fields } = await plane.fetchMessage(output, rpc);
  expect(fields).toMatchObject({
    success: true,
    message: "a",
    records: [{ household_id: "HH-0" }, { household_id: "HH-1", power_consumption: 101 }],
  });
  expect(Generator.generateData.responseDeserialize(bytes)).toMatchObject({ message: "a" });
  // As deployed services refer to results: the method alone.
  const { metadata: _, ...bare } = output;
  expect(await plane.describe(bare)).toMatchObject({ path: rpc.path });
});

it("learns one that a service has from a proto file alone", async () => {
  const loaded = loadSync(proto, { keepCase: true })["data_generator.DataGeneratorService"];
  const service = loaded as unknown as ServiceDefinition;
  const plane = createProtobufPlane({ services: [service], port: 0 });
  const operation = defineOperation({
    name: "GenerateData",
    run: (ctx) => plane.publish(service.GenerateData as never, { message: "b" } as never, ctx),
  });
  const running = await serve(
    sequentialService({
      data_dir: await tempFolder(),
      log_level: "silent",
      operations: [operation],
      planes: [plane],
    }),
    { host: "127.0.0.1", port: 0, handle_signals: false, grace_ms: 0 },
  );
  onTestFinished(running.close);
  const body = JSON.stringify({ method: "GenerateData", workflow_id: "w", task_id: "t" });
  const answer = await fetch(`${running.url}/control/execute`, { method: "POST", body });
  const { output } = (await answer.json()) as { output: never };
  const reader = fetching();
  const rpc = await reader.describe(output);
  expect(rpc && (await reader.fetchMessage(output, rpc)).fields).toMatchObject({ message: "b", records: [] });
});

it("takes .proto files for peers without reflection, and says what is not in them", async () => {
  const peer = await startPeer(() => ({ message: "deployed" }));
  const plane = fetching();
  expect(await plane.describe(peer.reference)).toBeUndefined();
  const rpc = await plane.describe(peer.reference, { protos: [proto] });
  expect(rpc && (await plane.fetchMessage(peer.reference, rpc)).fields).toMatchObject({
    message: "deployed",
  });
  const other = { ...peer.reference, format: "Nothing" };
  await expect(plane.describe(other, { protos: [proto] })).rejects.toMatchObject({
    code: "invalid_reference",
    message: `Expected the rpc Nothing once in ${proto}, found data_generator.DataGeneratorService/GenerateData`,
  });
  await expect(plane.describe(peer.reference, { protos: [join(proto, "no")] })).rejects.toThrow("ENO");
});

it("says where nobody answers", async () => {
  const reference = { protocol: "grpc", uri: "127.0.0.1:1", format: "GenerateData" } as const;
  await expect(fetching().describe(reference)).rejects.toMatchObject({
    code: "unreadable_reference",
    message: expect.stringMatching(/^Cannot fetch \*\/GenerateData from 127\.0\.0\.1:1: UNAVAILABLE/),
  });
});
