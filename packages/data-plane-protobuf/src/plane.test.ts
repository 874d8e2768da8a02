import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { callGenerator, Generator, generated, start } from "./testing/start.ts";

const ids = (workflow_id: string, task_id: string) => ({
  "aieffect-workflow-id": workflow_id,
  "aieffect-task-id": task_id,
});

describe("a published message", () => {
  it("is behind a reference that the deployed orchestrator takes, for a client that knows only the deployed protos", async () => {
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
      records: [{ household_id: "HH-0" }, { household_id: "HH-1" }],
    };
    expect(await callGenerator(service.address)).toMatchObject({ message: expected });
    expect(await callGenerator(service.address, ids("wf-1", "task-1"))).toMatchObject({ message: expected });
  });

  it("is fetched by a peer of ours by its task", async () => {
    const service = await start({
      GenerateData: (ctx, plane) =>
        plane.publish(Generator.generateData, generated(`${ctx.workflow_id} ${ctx.task_id}`), ctx),
      Read: async (ctx, plane) => {
        const { message } = await plane.fetchMessage(ctx.inputs[0], Generator.generateData, ctx);
        return ctx.publish(JSON.stringify({ message }), { format: "json", as: "inline" });
      },
    });
    const { output: first } = await service.execute("GenerateData", { workflow_id: "wf-a" });
    await service.execute("GenerateData", { workflow_id: "wf-b" });
    const { output } = await service.execute("Read", { inputs: [first] });
    expect(Buffer.from(output.uri, "base64").toString()).toBe('{"message":"wf-a task-1"}');
    expect(await callGenerator(service.address, ids("wf-x", "task-1"))).toMatchObject({
      code: status.NOT_FOUND,
    });
  });
});
