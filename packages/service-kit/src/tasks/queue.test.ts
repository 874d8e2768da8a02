import { createInlineReference } from "@aieffect/control-interface";
import { describe, expect, it } from "vitest";
import { defineOperation } from "../index.ts";
import { gate, start } from "../testing/start.ts";

describe("memory", () => {
  it("is not filled by requests that wait: their bytes are limited too (R-EXEC-15)", async () => {
    const hold = gate();
    const held = defineOperation({ name: "Held", style: "concurrent", sink: true, run: () => hold.opened });
    const { execute } = await start([held], { max_pending_bytes: 10_000 });
    const inputs = [createInlineReference("x".repeat(4000), "csv")];
    expect((await execute("Held", { task_id: "a", inputs })).status).toBe(200);
    expect((await execute("Held", { task_id: "b", inputs })).status).toBe(503);
    hold.open();
    await expect.poll(async () => (await execute("Held", { task_id: "c", inputs })).status).toBe(200);
  });

  it("is not filled by ids and references (R-EXEC-17)", async () => {
    const pass = defineOperation({ name: "Pass", run: (ctx) => ctx.inputs[0]?.reference });
    const { execute } = await start([pass]);
    expect((await execute("Pass", { task_id: "x".repeat(1025) })).status).toBe(422);
    const inputs = [createInlineReference("x".repeat(4 * 2 ** 20), "binary")];
    expect((await execute("Pass", { inputs })).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining("publish large payloads as file or http"),
    });
  });
});

describe("the queue", () => {
  it("lets who asks again for what is known through, also when it is full (R-IDEM-01, R-IDEM-03)", async () => {
    const hold = gate();
    const held = defineOperation({ name: "Held", style: "concurrent", sink: true, run: () => hold.opened });
    const { execute } = await start([held], { max_running: 1, max_queued: 0 });
    const key = { "idempotency-key": "k" };
    const first = await execute("Held", {}, key);
    expect((await execute("Held", { task_id: "other" })).status).toBe(503);
    expect((await execute("Held", {}, key)).body).toEqual(first.body);
    expect((await execute("Held")).body).toEqual(first.body);
    hold.open();
  });

  it("is left by a cancelled task at once, and its caller gets an answer", async () => {
    const hold = gate();
    const held = defineOperation({ name: "Held", sink: true, run: () => hold.opened });
    const { execute, call } = await start([held], { max_running: 1, max_queued: 1 });
    const first = execute("Held", { task_id: "a" });
    await expect.poll(async () => (await call("/ready")).body).toMatchObject({ running: 1 });
    const second = execute("Held", { task_id: "b" });
    await expect.poll(async () => (await call("/ready")).body).toMatchObject({ waiting: 1 });
    await call("/control/cancel/b", { method: "POST" });
    expect((await second).body).toEqual({ status: "failed", error: "Cancelled" });
    expect((await call("/ready")).body).toMatchObject({ waiting: 0 });
    await call("/control/cancel/a", { method: "POST" });
    expect((await first).body).toEqual({ status: "failed", error: "Cancelled" });
    expect((await call("/ready")).body).toMatchObject({ running: 1 });
    hold.open();
    await expect.poll(async () => (await call("/ready")).body).toMatchObject({ running: 0 });
  });
});
