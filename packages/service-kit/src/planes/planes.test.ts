import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { type DataPlane, defineOperation, type PlaneHost, sequentialService, serve } from "../index.ts";
import { gate, start } from "../testing/start.ts";

/** A plane that notes what it is told. */
function notingPlane(name = "noting", start?: () => Promise<void>) {
  const told: string[] = [];
  let host: PlaneHost | undefined;
  const plane: DataPlane = {
    name,
    async start(given) {
      host = given;
      await start?.();
      told.push(`${name} started on ${given.listen_host}`);
    },
    forget: ({ task_id }) => void told.push(`${name} forgot ${task_id}`),
    async stop() {
      told.push(`${name} stopped`);
    },
  };
  return { plane, told, host: () => host as PlaneHost };
}

const publish = defineOperation({
  name: "Publish",
  run: (ctx) => ctx.publish("1", { format: "json", as: "inline" }),
});

describe("a plane of a service", () => {
  it("is started before the service takes calls and stopped after its last task", async () => {
    const { plane, told } = notingPlane();
    const held = gate();
    const work = defineOperation({
      name: "Work",
      async run(ctx) {
        await held.opened;
        told.push("task ended");
        return ctx.publish("1", { format: "json", as: "inline" });
      },
    });
    const data_dir = await tempFolder();
    const service = sequentialService({ operations: [work], planes: [plane], data_dir, log_level: "silent" });
    const running = await serve(service, {
      host: "127.0.0.1",
      port: 0,
      handle_signals: false,
      grace_ms: 5000,
    });
    expect(told).toEqual(["noting started on 127.0.0.1"]);
    const body = JSON.stringify({ method: "Work", workflow_id: "w", task_id: "t" });
    const answer = fetch(`${running.url}/control/execute`, { method: "POST", body });
    await expect.poll(() => service.parts.engine.queue.running).toBe(1);
    const closed = running.close();
    held.open();
    expect(await (await answer).json()).toMatchObject({ status: "complete" });
    await closed;
    await service.stopPlanes();
    expect(told).toEqual(["noting started on 127.0.0.1", "task ended", "noting stopped"]);
  });

  it("that cannot start keeps the service from it, and stops the others", async () => {
    const good = notingPlane("good");
    const bad = notingPlane("bad", () => Promise.reject(new Error("no port")));
    const service = sequentialService({
      operations: [publish],
      planes: [good.plane, bad.plane],
      data_dir: await tempFolder(),
      log_level: "silent",
    });
    onTestFinished(() => service.close());
    await expect(serve(service, { host: "127.0.0.1", port: 0 })).rejects.toThrow("no port");
    expect(good.told).toEqual(["good started on 127.0.0.1", "good stopped"]);
  });

  it("is stopped when the service's own port is taken", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void taken.close());
    const { plane, told } = notingPlane();
    const service = sequentialService({
      operations: [publish],
      planes: [plane],
      data_dir: await tempFolder(),
      log_level: "silent",
    });
    onTestFinished(() => service.close());
    const { port } = taken.address() as AddressInfo;
    await expect(serve(service, { host: "127.0.0.1", port })).rejects.toThrow("is taken");
    expect(told).toEqual(["noting started on 127.0.0.1", "noting stopped"]);
  });

  it("is started by the router as well", async () => {
    const { plane, told } = notingPlane();
    await start([publish], { planes: [plane], door: "router" });
    await expect.poll(() => told).toEqual(["noting started on 0.0.0.0"]);
  });

  it("finds a workflow's own tasks, and is told of those that are dropped", async () => {
    let now = 1_000_000;
    const { plane, told, host } = notingPlane();
    const held = gate();
    const work = defineOperation({
      name: "Work",
      async run(ctx) {
        if (ctx.workflow_id === "wf-a") await held.opened;
        return ctx.publish("1", { format: "json", as: "inline" });
      },
    });
    const { service, execute } = await start([work], { planes: [plane], now: () => now });
    const first = execute("Work", { workflow_id: "wf-a" });
    await expect.poll(() => service.parts.engine.queue.running).toBe(1);
    await execute("Work", { workflow_id: "wf-b" });
    expect(await host().find("wf-a", "task-1")).toMatchObject({ workflow_id: "wf-a", status: "running" });
    const other = await host().find("wf-b", "task-1");
    expect(other).toMatchObject({ workflow_id: "wf-b", status: "complete" });
    expect(await host().find("wf-b", other?.handle ?? "")).toMatchObject({ status: "complete" });
    expect(await host().find("wf-a", other?.handle ?? "")).toBeUndefined();
    expect(await host().find("wf-c", "task-1")).toBeUndefined();
    held.open();
    await first;
    now += 90_000_000;
    await service.parts.engine.prune();
    expect(told).toEqual(["noting started on 127.0.0.1", "noting forgot task-1", "noting forgot task-1"]);
  });

  it("has its calls counted in /metrics", async () => {
    const { plane, host } = notingPlane();
    const { call } = await start([publish], { planes: [plane] });
    host().countCall("Read")("OK");
    host().countCall("Read")("OK");
    host().countCall("Read")("NOT_FOUND");
    const { body } = await call("/metrics");
    for (const line of [
      'aieffect_data_plane_calls_total{plane="noting",method="Read",code="OK"} 2',
      'aieffect_data_plane_calls_total{plane="noting",method="Read",code="NOT_FOUND"} 1',
      'aieffect_data_plane_call_duration_seconds_count{plane="noting",method="Read"} 3',
    ]) {
      expect(body).toContain(line);
    }
  });

  it("is one that can be started and stopped", () => {
    expect(() => sequentialService({ operations: [publish], planes: [{} as DataPlane] })).toThrow(
      "Expected planes to be a list of data planes, as createProtobufPlane() gives, in { planes: [plane] }",
    );
  });
});
