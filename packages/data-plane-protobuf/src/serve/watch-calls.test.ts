import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { describe, expect, it, onTestFinished } from "vitest";
import { ReadRequest } from "../generated/aieffect/dataplane/v1/results.ts";
import { callGenerator, Generator, generated, start } from "../testing/start.ts";

const large = () => generated("x".repeat(3 * 2 ** 20));

/** Makes a call and never takes what it is answered with. */
function callAndStall(session: ClientHttp2Session, path: string, message: Uint8Array) {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  const headers = { "content-type": "application/grpc", te: "trailers" };
  const stream = session.request({ ":method": "POST", ":path": path, ...headers });
  stream.on("error", () => {});
  stream.end(frame);
  return stream;
}

describe("a caller that never reads", () => {
  it.each([
    ["one message", "/data_generator.DataGeneratorService/GenerateData", new Uint8Array()],
    [
      "chunks",
      "/aieffect.dataplane.v1.Results/Read",
      ReadRequest.encode(ReadRequest.create({ method: "GenerateData" })).finish(),
    ],
  ])("is cut off from %s, and its connection lives on", async (_name, path, message) => {
    const service = await start(
      { GenerateData: (ctx, plane) => plane.publish(Generator.generateData, large(), ctx) },
      { send_idle_timeout_ms: 40 },
    );
    await service.execute("GenerateData");
    const session = connect(`http://${service.address}`);
    onTestFinished(() => session.destroy());
    const stalled = callAndStall(session, path, message);
    await new Promise((resolve) => stalled.on("close", resolve));
    expect(stalled.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await expect
      .poll(async () => (await fetch(`${service.url}/metrics`)).text())
      .toMatch(new RegExp(`method="${path.slice(1)}",code="(RESOURCE_EXHAUSTED|DEADLINE_EXCEEDED)"} 1\n`));
    const next = callAndStall(session, "/grpc.health.v1.Health/Check", new Uint8Array());
    next.resume();
    await once(next, "end");
    expect(next.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });

  it("is left alone as long as it has its time", async () => {
    const service = await start(
      { GenerateData: (ctx, plane) => plane.publish(Generator.generateData, large(), ctx) },
      { send_idle_timeout_ms: 60_000 },
    );
    await service.execute("GenerateData");
    const session = connect(`http://${service.address}`);
    onTestFinished(() => session.destroy());
    const slow = callAndStall(session, "/data_generator.DataGeneratorService/GenerateData", new Uint8Array());
    let bytes = 0;
    slow.on("data", ({ length }: Buffer) => {
      bytes += length;
    });
    await once(slow, "end");
    expect(bytes).toBeGreaterThan(3 * 2 ** 20);
  });
});

describe("calls", () => {
  it("are counted in /metrics by method and code, also those without the key", async () => {
    const service = await start(
      { GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated("a"), ctx) },
      { require_key: true },
      { api_key: "k-1" },
    );
    const key = { authorization: "Bearer k-1" };
    await callGenerator(service.address, key);
    await service.execute("GenerateData");
    await callGenerator(service.address, key);
    await callGenerator(service.address, key);
    await callGenerator(service.address);
    const text = await (await fetch(`${service.url}/metrics`, { headers: key })).text();
    const method = 'method="data_generator.DataGeneratorService/GenerateData"';
    for (const [code, count] of [
      ["OK", 2],
      ["NOT_FOUND", 1],
      ["UNAUTHENTICATED", 1],
    ]) {
      expect(text).toContain(
        `aieffect_data_plane_calls_total{plane="gRPC",${method},code="${code}"} ${count}\n`,
      );
    }
    expect(text).toContain(`aieffect_data_plane_call_duration_seconds_count{plane="gRPC",${method}} 4\n`);
  });
});
