import { readdir } from "node:fs/promises";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { callGenerator, Generator, generated, idsOf, Meter, start } from "./testing/start.ts";

describe("publish", () => {
  it("gives a reference that the deployed orchestrator takes, to what a client of the deployed protos can read", async () => {
    const service = await start({
      GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated("one", 2), ctx),
    });
    const { status: word, output } = await service.execute("GenerateData");
    expect({ word, output }).toEqual({
      word: "complete",
      output: {
        protocol: "grpc",
        uri: service.address,
        format: "GenerateData",
        metadata: {
          service: "data_generator.DataGeneratorService",
          method: "GenerateData",
          workflow_id: "wf-1",
          task_id: "task-1",
          handle: expect.any(String),
        },
      },
    });
    const expected = {
      success: true,
      message: "one",
      records: [{ household_id: "HH-0", power_consumption: 100 }, { household_id: "HH-1" }],
    };
    expect(await callGenerator(service.address)).toMatchObject({ message: expected });
    expect(await callGenerator(service.address, idsOf("wf-1", "task-1"))).toMatchObject({
      message: expected,
    });
  });

  it("merges the pieces of an iterable for those who call the RPC", async () => {
    const service = await start({
      async GenerateData(ctx, plane) {
        async function* pieces() {
          yield { success: false, message: "first", records: generated("", 2).records };
          yield { success: true, message: "", records: generated("", 1).records };
        }
        return plane.publish(Generator.generateData, pieces(), ctx);
      },
    });
    await service.execute("GenerateData");
    const records = [{ household_id: "HH-0" }, { household_id: "HH-1" }, { household_id: "HH-0" }];
    expect(await callGenerator(service.address)).toMatchObject({
      message: { success: true, message: "first", records },
    });
  });

  it("fails a task that publishes nothing, twice, or under an RPC that is not served", async () => {
    const service = await start({
      Nothing: (ctx, plane) => plane.publish(Generator.generateData, [], ctx),
      async Twice(ctx, plane) {
        await plane.publish(Generator.generateData, generated("a"), ctx);
        return plane.publish(Generator.generateData, generated("b"), ctx);
      },
      Foreign: (ctx, plane) =>
        plane.publish({ ...Generator.generateData, path: "/other.Service/Get" }, generated("a"), ctx),
      async Throws(ctx, plane) {
        function* pieces() {
          yield generated("a");
          throw new Error("the source has dried up");
        }
        return plane.publish(Generator.generateData, pieces(), ctx);
      },
    });
    expect((await service.execute("Nothing")).error).toBe(
      "Expected at least one message to publish under data_generator.DataGeneratorService/GenerateData, found none (R-RUN-07)",
    );
    expect((await service.execute("Twice", { task_id: "t2" })).error).toBe(
      "Expected one result of a task under data_generator.DataGeneratorService/GenerateData, got two; publish pieces as an iterable",
    );
    expect((await service.execute("Foreign", { task_id: "t3" })).error).toBe(
      "Expected an RPC of the plane's services to publish under, got other.Service/Get; add its service to the option services",
    );
    expect((await service.execute("Throws", { task_id: "t4" })).error).toBe("the source has dried up");
    // What a failed task has published is nobody's newest result.
    expect(await callGenerator(service.address)).toMatchObject({ code: status.NOT_FOUND });
    expect(await readdir(`${service.folder}/wf-1/t4`)).toEqual([]);
  });

  it("serves an RPC that answers with a stream message by message", async () => {
    const service = await start({
      Follow: (ctx, plane) =>
        plane.publish(
          Meter.follow,
          [1n, 2n, 3n].map((at) => ({ at, payload: Buffer.from([Number(at)]) })),
          ctx,
        ),
      async Count(ctx, plane) {
        const found: string[] = [];
        for await (const { at } of plane.fetchMessages(ctx.inputs[0], Meter.follow, ctx)) found.push(`${at}`);
        return ctx.publish(JSON.stringify(found), { format: "json", as: "inline" });
      },
    });
    const { output } = await service.execute("Follow");
    const { output: counted } = await service.execute("Count", { inputs: [output] });
    expect(Buffer.from(counted.uri, "base64").toString()).toBe('["1","2","3"]');
  });

  it("refers to the stream where one message of an RPC that answers with a stream is too large", async () => {
    const service = await start(
      {
        Follow: (ctx, plane) =>
          plane.publish(
            Meter.follow,
            [10, 2000, 10].map((size, at) => ({ at: BigInt(at), payload: Buffer.alloc(size) })),
            ctx,
          ),
        Small: (ctx, plane) =>
          plane.publish(
            Meter.follow,
            [600, 600].map((size, at) => ({ at: BigInt(at), payload: Buffer.alloc(size) })),
            ctx,
          ),
        async Sizes(ctx, plane) {
          const found: number[] = [];
          for await (const { payload } of plane.fetchMessages(ctx.inputs[0], Meter.follow, ctx))
            found.push(payload.length);
          return ctx.publish(JSON.stringify(found), { format: "json", as: "inline" });
        },
      },
      { max_message_bytes: 1000 },
    );
    const { output } = await service.execute("Follow");
    expect(output.metadata?.stream).toBe("aieffect.dataplane.v1.Results/Read");
    const sizes = await service.execute("Sizes", { inputs: [output] });
    expect(Buffer.from(sizes.output.uri, "base64").toString()).toBe("[10,2000,10]");
    // Together they may be larger.
    const { output: small } = await service.execute("Small", { task_id: "small" });
    expect(small.metadata).not.toHaveProperty("stream");
    const both = await service.execute("Sizes", { task_id: "both", inputs: [small] });
    expect(Buffer.from(both.output.uri, "base64").toString()).toBe("[600,600]");
  });

  it("continues the trace of its caller from service to service", async () => {
    const made = await start({
      GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated("a"), ctx),
    });
    const reader = await start({
      Read: async (ctx, plane) => {
        await plane.fetchMessage(ctx.inputs[0], Generator.generateData, ctx);
        return ctx.publish("1", { format: "json", as: "inline" });
      },
    });
    const { output } = await made.execute("GenerateData");
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    expect(await reader.execute("Read", { inputs: [output] }, { traceparent })).toMatchObject({
      status: "complete",
    });
    expect(made.lines().find(({ msg }) => msg === "grpc call")).toMatchObject({
      rpc: "data_generator.DataGeneratorService/GenerateData",
      workflow_id: "wf-1",
      status: "OK",
      trace_id: "0af7651916cd43dd8448eb211c80319c",
    });
  });

  it("needs a plane that its service has", async () => {
    const service = await start({
      GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated("a"), ctx),
    });
    await service.plane.stop(0);
    expect((await service.execute("GenerateData")).error).toBe(
      "Expected the gRPC server to listen, found that it does not; give the plane to its service as planes: [plane]",
    );
  });
});
