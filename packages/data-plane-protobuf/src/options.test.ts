import { writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { advertisedHost, type ProtobufPlaneOptions, resolveOptions } from "./options.ts";
import { Generator } from "./testing/start.ts";

describe("the environment", () => {
  it("is read where the options say nothing", async () => {
    const folder = await tempFolder();
    const file = join(folder, "x.pem");
    await writeFile(file, "PEM");
    expect(resolveOptions({}, {})).toMatchObject({
      port: 50_051,
      host: undefined,
      require_key: false,
      tls: undefined,
      peer_tls: {},
      max_message_bytes: 4_194_304,
    });
    const env = {
      GRPC_PORT: "6000",
      GRPC_HOST: "pb-generator",
      GRPC_REQUIRE_KEY: "1",
      GRPC_TLS_CERT_FILE: file,
      GRPC_TLS_KEY_FILE: file,
      GRPC_TLS_CA_FILE: file,
      GRPC_TLS_HOSTS: "one, two:50051",
    };
    expect(resolveOptions({}, env)).toMatchObject({
      port: 6000,
      host: "pb-generator",
      require_key: true,
      tls: { cert: Buffer.from("PEM"), key: Buffer.from("PEM") },
      peer_tls: { ca: Buffer.from("PEM"), hosts: ["one", "two:50051"] },
    });
    expect(resolveOptions({ port: 0, host: "::1", require_key: false }, env)).toMatchObject({
      port: 0,
      host: "[::1]",
      require_key: false,
    });
    expect(resolveOptions({}, { GRPC_PORT: "", GRPC_HOST: " ", GRPC_REQUIRE_KEY: "0" })).toMatchObject({
      port: 50_051,
      host: undefined,
      require_key: false,
    });
  });

  it.each([
    [{}, { GRPC_PORT: "x" }, "port (GRPC_PORT) to be an integer from 0 to 65535, got x"],
    [{}, { GRPC_REQUIRE_KEY: "yes" }, 'GRPC_REQUIRE_KEY to be 1 or 0, got "yes"'],
    [{}, { GRPC_HOST: "host:1" }, 'host (GRPC_HOST) to be a name or an address without a port, got "host:1"'],
    [{}, { GRPC_TLS_CERT_FILE: "/nowhere" }, "GRPC_TLS_CERT_FILE to name a readable file, got /nowhere"],
    [{ max_message_bytes: 0 }, {}, "max_message_bytes to be an integer of at least 1, got 0"],
    [{ prot: 1 }, {}, "the options of a protobuf plane to be out of services, "],
    [{ services: [{}] }, {}, "services to hold generated service definitions"],
    [{ services: [Generator, Generator] }, {}, "every service once, got /data_generator"],
    [
      { services: [{ up: { ...Generator.generateData, requestStream: true } }] },
      {},
      "RPCs that take one request, got /data_generator.DataGeneratorService/GenerateData, which takes a stream",
    ],
  ])("and options that cannot be meant are refused: %j %j", (given, env, message) => {
    expect(() => resolveOptions(given as ProtobufPlaneOptions, env)).toThrow(`Expected ${message}`);
  });
});

it("tells peers a name that leads here", () => {
  expect(advertisedHost("pb-generator", "0.0.0.0")).toBe("pb-generator");
  expect(advertisedHost(undefined, "127.0.0.1")).toBe("127.0.0.1");
  expect(advertisedHost(undefined, "::1")).toBe("[::1]");
  expect(advertisedHost(undefined, "0.0.0.0")).toBe(hostname());
});
