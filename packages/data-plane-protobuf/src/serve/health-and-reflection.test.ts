import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { credentials, loadPackageDefinition, status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { protoPath as healthProto } from "grpc-health-check";
import { expect, it } from "vitest";
import { Generator, gate, generated, start } from "../testing/start.ts";

// biome-ignore lint/suspicious/noExplicitAny: clients made at run time
type Any = any;

const reflectionProto = join(
  dirname(createRequire(import.meta.url).resolve("@grpc/reflection/package.json")),
  "build/proto/grpc/reflection/v1/reflection.proto",
);

function clientOf(proto: string, pick: (definition: Any) => Any, address: string): Any {
  const loaded = loadPackageDefinition(loadSync(proto, { keepCase: true, enums: String, defaults: true }));
  return new (pick(loaded))(address, credentials.createInsecure());
}

function ask(client: Any, service: string): Promise<{ status?: string; code?: number }> {
  return new Promise((resolve) => {
    client.Check({ service }, (error: { code: number } | null, answer: { status: string }) =>
      resolve(error === null ? { status: answer.status } : { code: error.code }),
    );
  });
}

it("answers health checks without a key, until its service stops", async () => {
  const held = gate();
  const service = await start(
    {
      async GenerateData(ctx, plane) {
        await held.opened;
        return plane.publish(Generator.generateData, generated("a"), ctx);
      },
    },
    { require_key: true },
    { api_key: "k-1" },
  );
  const client = clientOf(healthProto, ({ grpc }) => grpc.health.v1.Health, service.address);
  for (const name of ["", "data_generator.DataGeneratorService", "aieffect.dataplane.v1.Results"]) {
    expect(await ask(client, name)).toEqual({ status: "SERVING" });
  }
  expect(await ask(client, "nobody.Here")).toEqual({ code: status.NOT_FOUND });
  const running = service.execute("GenerateData");
  await expect.poll(() => service.service.parts.engine.queue.running).toBe(1);
  // A watcher never ends by itself, and stops nobody from stopping.
  const watched: string[] = [];
  const watch = client.Watch({ service: "" });
  watch.on("data", ({ status: word }: { status: string }) => watched.push(word));
  watch.on("error", () => {});
  await expect.poll(() => watched).toEqual(["SERVING"]);
  const stopping = service.service.close(100_000);
  await expect.poll(() => ask(client, "")).toEqual({ status: "NOT_SERVING" });
  held.open();
  expect(await running).toMatchObject({ status: "complete" });
  await stopping;
  expect(watched).toEqual(["SERVING", "NOT_SERVING"]);
  client.close();
});

it("lists its services and describes their messages through reflection", async () => {
  const service = await start({ Ping: (ctx) => ctx.publish("{}", { format: "json" }) });
  const client = clientOf(
    reflectionProto,
    ({ grpc }) => grpc.reflection.v1.ServerReflection,
    service.address,
  );
  const call = client.ServerReflectionInfo();
  const answers: Any[] = [];
  call.on("data", (answer: Any) => answers.push(answer));
  call.on("error", () => {});
  call.write({ list_services: "" });
  call.write({ file_containing_symbol: "data_generator.GenerateDataResponse" });
  await expect.poll(() => answers.length).toBe(2);
  call.end();
  client.close();
  const names = answers[0].list_services_response.service.map(({ name }: Any) => name);
  expect(names.sort()).toEqual([
    "aieffect.dataplane.v1.Results",
    "data_generator.DataGeneratorService",
    "grpc.health.v1.Health",
    "meter.Meter",
  ]);
  const files = answers[1].file_descriptor_response.file_descriptor_proto.map(String).join();
  expect(files).toContain("GenerateDataResponse");
  expect(files).toContain("EnergyRecord");
});
