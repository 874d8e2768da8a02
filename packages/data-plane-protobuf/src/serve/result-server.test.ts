import { readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tempFolder, until } from "@aieffect/test-support";
import { status } from "@grpc/grpc-js";
import { describe, expect, it, onTestFinished } from "vitest";
import { MessageSplitter } from "../results/delimited.ts";
import {
  callGenerator,
  callPlain,
  Generator,
  gate,
  generated,
  idsOf,
  plainClient,
  readChunksPlain,
  start,
} from "../testing/start.ts";

const rpc = "data_generator.DataGeneratorService/GenerateData";

describe("a result", () => {
  it("is each task's own, by task_id or handle, in 32 workflows that share a task_id", async () => {
    const service = await start({
      GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated(ctx.workflow_id), ctx),
    });
    const workflows = Array.from({ length: 32 }, (_, index) => `wf-${index}`);
    const answers = await Promise.all(
      workflows.map((workflow_id) => service.execute("GenerateData", { workflow_id })),
    );
    for (const [index, workflow_id] of workflows.entries()) {
      const expected = { message: { message: workflow_id } };
      expect(await callGenerator(service.address, idsOf(workflow_id, "task-1"))).toMatchObject(expected);
      const handle = String(answers[index]?.output.metadata?.handle);
      expect(await callGenerator(service.address, idsOf(workflow_id, handle))).toMatchObject(expected);
      const other = workflows[(index + 1) % 32] as string;
      expect(await callGenerator(service.address, idsOf(other, handle))).toMatchObject({
        code: status.NOT_FOUND,
      });
    }
  });

  it("is the newest one of a complete task for a caller that sends no ids, whatever it asks with", async () => {
    const held = gate();
    const service = await start({
      async GenerateData(ctx, plane) {
        const reference = await plane.publish(Generator.generateData, generated(ctx.task_id), ctx);
        if (ctx.task_id === "slow") await held.opened;
        if (ctx.task_id === "bad") throw new Error("no");
        return reference;
      },
    });
    expect(await callGenerator(service.address)).toEqual({
      code: status.NOT_FOUND,
      details: `Nothing has been published under ${rpc}; run a task first`,
    });
    await service.execute("GenerateData", { task_id: "first" });
    await service.execute("GenerateData", { task_id: "second" });
    await service.execute("GenerateData", { task_id: "bad" });
    const slow = service.execute("GenerateData", { task_id: "slow" });
    await until("the slow task to publish", async () =>
      readFile(`${service.folder}/wf-1/slow/data_generator.DataGeneratorService.GenerateData.pb`).catch(
        () => undefined,
      ),
    );
    expect(
      await callPlain(
        service.address,
        "data_generator.proto",
        "data_generator.DataGeneratorService",
        "GenerateData",
        {
          request: { num_records: 7 },
        },
      ),
    ).toMatchObject({ message: { message: "second" } });
    held.open();
    await slow;
    expect(await callGenerator(service.address)).toMatchObject({ message: { message: "slow" } });
  });

  it("is refused with the status that says why there is none", async () => {
    const held = gate();
    const service = await start({
      async GenerateData(ctx, plane) {
        if (ctx.task_id === "slow" && ctx.workflow_id === "wf-1") await held.opened;
        if (ctx.task_id === "bad") throw new Error("secret");
        if (ctx.task_id === "other") return ctx.publish("{}", { format: "json" });
        return plane.publish(Generator.generateData, generated(ctx.task_id), ctx);
      },
    });
    const ask = (workflow_id: string, task_id: string) =>
      callGenerator(service.address, idsOf(workflow_id, task_id));
    const slow = service.execute("GenerateData", { task_id: "slow" });
    // Another workflow's newer task of the same name hides it from nobody.
    await service.execute("GenerateData", { task_id: "slow", workflow_id: "wf-2" });
    await service.execute("GenerateData", { task_id: "bad" });
    await service.execute("GenerateData", { task_id: "other" });
    expect(await ask("wf-1", "slow")).toEqual({
      code: status.FAILED_PRECONDITION,
      details: 'Task "slow" of workflow "wf-1" is still running; ask when it is complete',
    });
    expect(await ask("wf-1", "bad")).toEqual({
      code: status.NOT_FOUND,
      details: 'Task "bad" of workflow "wf-1" has failed; it has no result',
    });
    expect(await ask("wf-1", "other")).toEqual({
      code: status.NOT_FOUND,
      details: `Task "other" of workflow "wf-1" has no result under ${rpc} that is kept here`,
    });
    expect(await ask("wf-1", "never")).toEqual({
      code: status.NOT_FOUND,
      details: 'Nothing is known of task "never" of workflow "wf-1"; check both ids',
    });
    expect(await callGenerator(service.address, { "aieffect-task-id": "slow" })).toEqual({
      code: status.INVALID_ARGUMENT,
      details:
        "Expected aieffect-workflow-id beside aieffect-task-id, found none; send both, or neither for the newest result",
    });
    held.open();
    await slow;
    expect(await ask("wf-1", "slow")).toMatchObject({ message: { message: "slow" } });
  });

  it("is the newest execution's under a task_id, and stays each execution's under its handle", async () => {
    let serial = 0;
    const service = await start({
      GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated(`${++serial}`), ctx),
    });
    const { output: first } = await service.execute("GenerateData");
    await service.execute("GenerateData");
    await service.execute("GenerateData", { workflow_id: "wf-2" });
    const ask = (task_id: string) => callGenerator(service.address, idsOf("wf-1", task_id));
    expect(await ask("task-1")).toMatchObject({ message: { message: "2" } });
    expect(await ask(String(first.metadata?.handle))).toMatchObject({ message: { message: "1" } });
  });

  it("of a task whose ids are no ASCII is found by its bytes", async () => {
    const service = await start({
      GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated("ü"), ctx),
      Read: async (ctx, plane) => {
        const { message } = await plane.fetchMessage(ctx.inputs[0], Generator.generateData, ctx);
        return ctx.publish(JSON.stringify(message), { format: "json", as: "inline" });
      },
    });
    const { output } = await service.execute("GenerateData", { workflow_id: " Ü\n", task_id: "タスク" });
    const read = await service.execute("Read", { inputs: [output] });
    expect(read).toMatchObject({ status: "complete" });
  });

  it("says so when it is no longer kept", async () => {
    let now = 1_000_000;
    const service = await start(
      { GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated(ctx.task_id), ctx) },
      {},
      { now: () => now, retention: { max_age_s: 100 } },
    );
    await service.execute("GenerateData", { task_id: "old" });
    now += 101_000;
    await service.execute("GenerateData", { task_id: "new" });
    await service.service.parts.engine.prune();
    expect(await callGenerator(service.address, idsOf("wf-1", "old"))).toEqual({
      code: status.NOT_FOUND,
      details: 'The result of task "old" of workflow "wf-1" is no longer kept; run the task again',
    });
    expect(await callGenerator(service.address)).toMatchObject({ message: { message: "new" } });
    await service.execute("GenerateData", { task_id: "removed" });
    await rm(`${service.folder}/wf-1/removed`, { recursive: true });
    expect(await callGenerator(service.address)).toEqual({
      code: status.NOT_FOUND,
      details: `The result of ${rpc} is no longer kept; run the task again`,
    });
  });

  it("says so too when none is kept any more, to a caller that sends no ids", async () => {
    let now = 1_000_000;
    const service = await start(
      {
        async GenerateData(ctx, plane) {
          const reference = await plane.publish(Generator.generateData, generated(ctx.task_id), ctx);
          if (ctx.task_id === "bad") throw new Error("no");
          return reference;
        },
      },
      {},
      { now: () => now, retention: { max_age_s: 100 } },
    );
    await service.execute("GenerateData", { task_id: "bad" });
    // What nobody could have had is not missed.
    const never = {
      code: status.NOT_FOUND,
      details: `Nothing has been published under ${rpc}; run a task first`,
    };
    expect(await callGenerator(service.address)).toEqual(never);
    expect(await callGenerator(service.address)).toEqual(never);
    await service.execute("GenerateData");
    now += 101_000;
    await service.service.parts.engine.prune();
    expect(await callGenerator(service.address)).toEqual({
      code: status.NOT_FOUND,
      details: `No result of ${rpc} is kept any longer; run a task again`,
    });
  });

  it("is never one that was dropped, in a folder that was used again", async () => {
    let now = 1_000_000;
    let serial = 0;
    const service = await start(
      { GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated(`${++serial}`), ctx) },
      {},
      { now: () => now, retention: { max_age_s: 100 } },
    );
    const ask = () => callGenerator(service.address, idsOf("wf-1", "task-1"));
    await service.execute("GenerateData");
    expect(await ask()).toMatchObject({ message: { message: "1" } });
    now += 101_000;
    // The store has dropped it, and the plane hears of it a moment later: who asks between is told so.
    const { store, engine } = service.service.parts;
    const [dropped] = await store.prune(now);
    expect(await callGenerator(service.address)).toMatchObject({ code: status.NOT_FOUND });
    service.plane.forget(dropped as NonNullable<typeof dropped>);
    await rm(dropped?.folder as string, { recursive: true });
    await engine.prune();
    await service.execute("GenerateData");
    expect(await ask()).toMatchObject({ message: { message: "2" } });
  });

  it("survives a restart where its task does", async () => {
    const data_dir = await tempFolder();
    const options = { data_dir, store: `sqlite:${data_dir}/tasks` };
    const operations: Parameters<typeof start>[0] = {
      GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated("before"), ctx),
    };
    const before = await start(operations, {}, options);
    await before.execute("GenerateData");
    await before.close();
    const after = await start(operations, {}, options);
    expect(await callGenerator(after.address, idsOf("wf-1", "task-1"))).toMatchObject({
      message: { message: "before" },
    });
  });
});

describe("a result larger than one message may be", () => {
  const operations: Parameters<typeof start>[0] = {
    GenerateData: (ctx, plane) =>
      plane.publish(Generator.generateData, [generated("a", 6000), generated("b", 6000)], ctx),
  };

  it("is served in chunks alone, from any offset, and the named RPC says where", async () => {
    const service = await start(operations, { max_message_bytes: 100_000 });
    const { output } = await service.execute("GenerateData");
    expect(output.metadata?.stream).toBe("aieffect.dataplane.v1.Results/Read");
    expect(await callGenerator(service.address)).toEqual({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(
        /^The result of data_generator.DataGeneratorService\/GenerateData has \d+ bytes, and one message may have 100000; read it with aieffect.dataplane.v1.Results\/Read$/,
      ),
    });
    const asked = { method: "GenerateData", workflow_id: "wf-1", task_id: "task-1" };
    const chunks = await readChunksPlain(service.address, asked);
    const whole = Buffer.concat(chunks.map(({ data }) => data));
    expect(whole.length).toBe(output.size_bytes);
    expect(chunks.map(({ data }) => data.length)).toEqual([262_144, 262_144, whole.length - 2 * 262_144]);
    expect(chunks.map(({ offset }) => offset)).toEqual([0, 262_144, 524_288]);
    const messages = [...new MessageSplitter(2 ** 30).push(whole)].map(
      Generator.generateData.responseDeserialize,
    );
    expect(messages.map(({ message, records }) => [message, records.length])).toEqual([
      ["a", 6000],
      ["b", 6000],
    ]);
    const rest = await readChunksPlain(service.address, { ...asked, offset: 300_001 });
    expect(Buffer.concat(rest.map(({ data }) => data)).equals(whole.subarray(300_001))).toBe(true);
    expect(await readChunksPlain(service.address, { method: rpc, offset: whole.length })).toEqual([]);
    await expect(
      readChunksPlain(service.address, { method: rpc, offset: whole.length + 1 }),
    ).rejects.toMatchObject({
      code: status.OUT_OF_RANGE,
    });
  });

  it("begins one byte above the limit", async () => {
    const message = { success: false, message: "x".repeat(997), records: [] };
    const size = Generator.generateData.responseSerialize(message).length;
    const run: Parameters<typeof start>[0] = {
      GenerateData: (ctx, plane) => plane.publish(Generator.generateData, message, ctx),
    };
    const fits = await start(run, { max_message_bytes: size });
    expect((await fits.execute("GenerateData")).output.metadata).not.toHaveProperty("stream");
    expect(await callGenerator(fits.address)).toMatchObject({ message: { message: message.message } });
    const exceeds = await start(run, { max_message_bytes: size - 1 });
    expect((await exceeds.execute("GenerateData")).output.metadata).toHaveProperty("stream");
    expect(await callGenerator(exceeds.address)).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  it("is refused under a method that there is not, and with one id", async () => {
    const service = await start(operations);
    await expect(readChunksPlain(service.address, { method: "Nope" })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/^Expected an RPC of this service as method, found "Nope"; there is: /),
    });
    await expect(readChunksPlain(service.address, { method: rpc, task_id: "t" })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: "Expected workflow_id beside task_id, found none; send both, or neither for the newest result",
    });
  });
});

describe("the server", () => {
  it("says in which way it asks for a key, and asks for it where it is told to", async () => {
    const operations: Parameters<typeof start>[0] = {
      GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated("kept"), ctx),
    };
    const keyOf = (service: Awaited<ReturnType<typeof start>>) =>
      service.lines().find(({ msg }) => msg === "gRPC listening")?.key;
    expect(keyOf(await start(operations))).toBe("none is set");
    const open = await start(operations, {}, { api_key: "k-1" });
    expect(keyOf(open)).toBe("callers need none; GRPC_REQUIRE_KEY=1 asks for it");
    await open.execute("GenerateData");
    expect(await callGenerator(open.address)).toMatchObject({ message: { message: "kept" } });

    const closed = await start(operations, { require_key: true }, { api_key: "k-1" });
    expect(keyOf(closed)).toBe("callers need it");
    await closed.execute("GenerateData");
    const refused = {
      code: status.UNAUTHENTICATED,
      details: "Expected the service's key as the metadata authorization: Bearer <key>",
    };
    expect(await callGenerator(closed.address)).toEqual(refused);
    expect(await callGenerator(closed.address, { authorization: "Bearer k-2" })).toEqual(refused);
    expect(await callGenerator(closed.address, { authorization: "Bearer k-1" })).toMatchObject({
      message: { message: "kept" },
    });
    await expect(readChunksPlain(closed.address, { method: rpc })).rejects.toMatchObject(refused);
  });

  it("ends calls in order when its service stops", async () => {
    const service = await start({
      GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated("a"), ctx),
    });
    await service.execute("GenerateData");
    await callGenerator(service.address);
    await service.close();
    expect(await callGenerator(service.address)).toMatchObject({ code: status.UNAVAILABLE });
  });

  it("cuts a caller that takes nothing", async () => {
    const service = await start(
      {
        GenerateData: (ctx, plane) =>
          plane.publish(
            Generator.generateData,
            Array.from({ length: 40 }, () => generated("x".repeat(2 ** 20))),
            ctx,
          ),
      },
      { send_idle_timeout_ms: 50 },
    );
    await service.execute("GenerateData");
    const client = plainClient(
      service.address,
      "aieffect/dataplane/v1/results.proto",
      "aieffect.dataplane.v1.Results",
    );
    onTestFinished(() => client.close());
    const call = (client as unknown as { Read(asked: object): AsyncIterable<object> }).Read({
      method: "GenerateData",
    });
    // It takes one, and no more.
    await call[Symbol.asyncIterator]().next();
    await expect
      .poll(() => service.lines().find(({ msg }) => msg === "grpc call"))
      .toMatchObject({
        rpc: "aieffect.dataplane.v1.Results/Read",
        status: "DEADLINE_EXCEEDED",
        reason: "The caller took nothing for 50 ms",
      });
  });

  it("says which port is taken, and lets the service not start", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    await expect(start({ Ping: (ctx) => ctx.publish("{}", { format: "json" }) }, { port })).rejects.toThrow(
      `Port ${port} for gRPC is taken; set GRPC_PORT to another one, or to 0 for a free one`,
    );
  });
});
