import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createProtobufPlane, type Rpc } from "@aieffect/data-plane-protobuf";
import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";
import { tempFolder } from "@aieffect/test-support";
import { Server, ServerCredentials, type ServiceDefinition, type sendUnaryData } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { onTestFinished } from "vitest";

const proto = `syntax = "proto3";
service MeterService {
  rpc Read(Empty) returns (Reading);
  rpc Follow(Empty) returns (stream Reading);
}
message Empty {}
enum Quality { UNKNOWN = 0; GOOD = 1; }
message Reading { int64 watt_hours = 1; Quality quality = 2; bytes raw = 3; repeated string tags = 4; }
`;

interface Reading {
  watt_hours: number;
  quality?: number;
  raw?: Buffer;
}

/** A service whose results are messages over gRPC, and the file that describes them. */
export async function startMeter({ key, host = "127.0.0.1" }: { key?: string; host?: string } = {}) {
  const { folder, file, service } = await loadMeter();
  const plane = createProtobufPlane({ services: [service], port: 0, host, require_key: key !== undefined });
  const publishing = (name: string, result: Reading | Reading[]) =>
    defineOperation({
      name,
      output: { protocols: ["grpc"] },
      run: (ctx) => plane.publish(service[name] as Rpc<Reading>, result, ctx),
    });
  const reading = { watt_hours: 2 ** 40, quality: 1, raw: Buffer.from("abc") };
  const running = await serve(
    sequentialService({
      data_dir: folder,
      log_level: "silent",
      operations: [publishing("Read", reading), publishing("Follow", [{ watt_hours: 1 }, { watt_hours: 2 }])],
      planes: [plane],
      ...(key !== undefined && { api_key: key }),
    }),
    { port: 0, host: "127.0.0.1", handle_signals: false, grace_ms: 0 },
  );
  onTestFinished(running.close);
  return { url: running.url, file, address: plane.address ?? "", type: service.Read as Rpc<Reading> };
}

/** The gRPC side of a deployed service: one result, and no reflection. */
export async function startDeployedMeter() {
  const { file, service } = await loadMeter();
  const server = new Server();
  server.addService(service, {
    Read: (_call: unknown, answer: sendUnaryData<Reading>) => answer(null, { watt_hours: 7 }),
    Follow: (call: { end(): void }) => call.end(),
  });
  const port = await new Promise<number>((resolve, reject) => {
    const creds = ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", creds, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  onTestFinished(() => server.forceShutdown());
  return { file, address: `127.0.0.1:${port}` };
}

async function loadMeter() {
  const folder = await tempFolder();
  const file = join(folder, "meter.proto");
  await writeFile(file, proto);
  const service = loadSync(file, { keepCase: true }).MeterService as unknown as ServiceDefinition;
  return { folder, file, service };
}
