import { createInlineReference } from "@aieffect/control-interface";
import { until } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { defineOperation } from "../index.ts";
import { connectRaw, type RawConnection, readAnswer } from "../testing/raw.ts";
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

  describe("is not filled by bodies that are still coming (R-EXEC-15)", () => {
    const sink = defineOperation({ name: "Sink", sink: true, run: () => undefined });
    const size = 250_000;

    /** Says all of a large call but its last bytes. */
    async function begin(url: string, task_id: string): Promise<RawConnection & { finish(): void }> {
      const call = { method: "Sink", workflow_id: "w", task_id, parameters: {} };
      const body = JSON.stringify(call).padEnd(size);
      const raw = await connectRaw(url);
      raw.send(`POST /control/execute HTTP/1.1\r\nhost: a\r\ncontent-length: ${size}\r\n\r\n`);
      raw.send(body.slice(0, 200_000));
      return { ...raw, finish: () => raw.send(body.slice(200_000)) };
    }

    async function refusedOf(calls: RawConnection[], count: number): Promise<RawConnection[]> {
      const refused = () => calls.filter((call) => call.received().includes("503 Service Unavailable"));
      await until(`${count} of ${calls.length} to be refused`, () => refused().length === count);
      return refused();
    }

    it("and those that do not fit are refused at once; the others, and small ones, are answered", async () => {
      const { url, execute, lines } = await start([sink], { max_pending_bytes: 450_000 });
      const calls = await Promise.all(["a", "b", "c", "d", "e"].map((task_id) => begin(url, task_id)));
      const refused = await refusedOf(calls, 3);
      const answer = readAnswer(refused[0]?.received() ?? "");
      expect(answer.headers["retry-after"]).toBe("1");
      expect(answer.body).toContain("450000 bytes of their requests; try again later");
      expect(lines()).toContainEqual(expect.objectContaining({ code: "queue_full", http_status: 503 }));
      expect((await execute("Sink")).status).toBe(200);
      const [one, other] = calls.filter((call) => !refused.includes(call));
      one?.finish();
      await one?.shows("complete");
      // There is room again, and no more than before.
      const next = await Promise.all(["f", "g"].map((task_id) => begin(url, task_id)));
      const [late] = await refusedOf(next, 1);
      for (const call of [other, ...next]) {
        if (call === late) continue;
        call?.finish();
        await call?.shows("complete");
      }
    });

    it("and the room of those that never come to their end is free again", async () => {
      const { url, call } = await start([sink], { max_pending_bytes: 450_000, body_timeout_ms: 400 });
      const post = (body: string) => call("/control/execute", { method: "POST", body });
      const cut = await Promise.all(["a", "b"].map((task_id) => begin(url, task_id)));
      await refusedOf([...cut, await begin(url, "c")], 1);
      for (const raw of cut) raw.end();
      // Neither JSON, nor a call, nor one of this service.
      const bodies = ["x".repeat(size), `"${"x".repeat(size)}"`, `{"method":"${"x".repeat(size)}"}`];
      for (const body of [...bodies, ...bodies]) {
        await expect.poll(async () => (await post(body)).status).toBe(422);
      }
      const late = await begin(url, "d");
      expect(readAnswer(await late.closed()).status).toBe(408);
      const whole = JSON.stringify({ method: "Sink", workflow_id: "w", task_id: "e" });
      const answers = await Promise.all([post(whole.padEnd(220_000)), post(whole.padEnd(220_000))]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    });

    it("but one that is alone may be as large as max_body_bytes allows", async () => {
      const { url } = await start([sink], { max_pending_bytes: 1000 });
      const alone = await begin(url, "a");
      alone.finish();
      expect(readAnswer(await alone.shows("complete")).status).toBe(200);
    });
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
