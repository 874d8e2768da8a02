import { readFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { defineOperation } from "./index.ts";
import { gate, start } from "./testing/start.ts";

const sink = defineOperation({ name: "Sink", sink: true, run: (ctx) => ctx.log.info("working") });
const broken = defineOperation({
  name: "Broken",
  run() {
    throw new Error("no token s3cret-canary here");
  },
});
const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = `00-${trace}-00f067aa0ba902b7-01`;

it.each(["Sink", "Breaks", "Waits"])(
  "a task of %s took no less than no time where the clock was put back",
  async (method) => {
    let time = Date.parse("2026-03-29T03:00:00Z");
    const hold = gate();
    const back = () => {
      time -= 3_600_000;
    };
    const operations = [
      defineOperation({ name: "Sink", sink: true, run: back }),
      defineOperation({
        name: "Breaks",
        run() {
          back();
          throw new Error("broken");
        },
      }),
      defineOperation({ name: "Waits", style: "concurrent", sink: true, run: () => hold.opened }),
    ];
    const { execute, call, lines, service } = await start(operations, { now: () => time });
    await execute(method);
    if (method === "Waits") {
      back();
      await call("/control/cancel/task-1", { method: "POST" });
      hold.open();
    }
    await expect.poll(lines).toContainEqual(expect.objectContaining({ msg: "task ended", duration_ms: 0 }));
    // So that it is kept as long as any other.
    const kept = await service.parts.store.find("task-1");
    expect(kept?.ended_at).toBe(kept?.created_at);
  },
);

describe("the log", () => {
  it("has workflow_id, task_id, method, status and duration_ms in the line of every task (R-LOG-01)", async () => {
    const { execute, lines } = await start([sink, broken]);
    await execute("Sink", {}, { traceparent, "x-correlation-id": "c-1" });
    await execute("Broken", { task_id: "task-2" });
    const ids = { workflow_id: "wf-1", service: "test" };
    await expect.poll(lines).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          ...ids,
          task_id: "task-1",
          method: "Sink",
          msg: "working",
          trace_id: trace,
        }),
        expect.objectContaining({
          ...ids,
          task_id: "task-1",
          method: "Sink",
          status: "complete",
          duration_ms: expect.any(Number),
          trace_id: trace,
          correlation_id: "c-1",
        }),
        expect.objectContaining({
          ...ids,
          task_id: "task-2",
          method: "Broken",
          status: "failed",
          duration_ms: expect.any(Number),
        }),
      ]),
    );
  });

  it("has a line for every refused call, and for the others at level debug", async () => {
    const { execute, call, lines } = await start([sink], { log_level: "debug" });
    await execute("Nope");
    await call("/control/status/none");
    await execute("Sink");
    await expect.poll(lines).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          workflow_id: "wf-1",
          task_id: "task-1",
          method: "Nope",
          status: "refused",
          http_status: 400,
          duration_ms: expect.any(Number),
        }),
        expect.objectContaining({ task_id: "none", status: "refused", http_status: 404 }),
        expect.objectContaining({ msg: "call", http_status: 200, path: "/control/execute" }),
      ]),
    );
  });

  it("never shows the service's key, nor does an answer (R-AUTH-01)", async () => {
    const { execute, call, lines } = await start([broken], { api_key: "s3cret-canary", log_level: "trace" });
    const authorization = "Bearer s3cret-canary";
    const { body } = await execute("Broken", {}, { authorization });
    expect(body).toEqual({ status: "failed", error: "no token [redacted] here" });
    await execute("Broken", {}, { authorization: "Bearer s3cret-canary-not" });
    await call("/openapi.json", { headers: { authorization } });
    await expect.poll(() => lines().length).toBeGreaterThan(2);
    expect(JSON.stringify(lines())).not.toContain("s3cret-canary");
  });

  it("has the correlation id and the trace in every line about a task, also of later calls (R-LOG-02)", async () => {
    const failing = defineOperation({
      name: "Failing",
      async run(ctx) {
        ctx.log.info("working");
        await opened;
        throw new Error("broken");
      },
    });
    const { opened, open } = gate();
    const { execute, call, lines } = await start([failing], { style: "concurrent", log_level: "debug" });
    const first = { traceparent, "x-correlation-id": "run 7" };
    const { body } = await execute("Failing", {}, { ...first, "idempotency-key": "k" });
    const { task_id: handle } = body as { task_id: string };
    // Who asks again may call it something else: the task keeps its name.
    await execute("Failing", {}, { traceparent, "x-correlation-id": "other", "idempotency-key": "k" });
    await call(`/control/status/${handle}`);
    await call("/control/output/task-1", { headers: { "x-correlation-id": "other" } });
    await call("/control/data/task-1");
    open();
    await call("/control/status/task-1", { headers: { prefer: "wait=10" } });
    await call("/control/cancel/task-1", { method: "POST" });
    await expect.poll(() => lines().filter((line) => line.task_id === "task-1")).toHaveLength(12);
    const about = lines().filter((line) => line.task_id === "task-1");
    expect(about.map((line) => [line.msg, line.correlation_id])).toEqual(
      about.map((line) => [line.msg, "run 7"]),
    );
    expect(new Set(about.map((line) => line.msg))).toEqual(
      new Set(["task accepted", "working", "call", "call refused", "the operation threw", "task ended"]),
    );
    const ofTask = about.filter((line) => !String(line.msg).startsWith("call"));
    expect(ofTask.map((line) => line.trace_id)).toEqual(ofTask.map(() => trace));
    // The handle tells executions of one task_id apart.
    expect(about.filter((line) => String(line.msg).startsWith("call")).map((line) => line.handle)).toEqual(
      Array(7).fill(handle),
    );
  });

  it("takes from a call what the call tells, and nothing that could not stand in a line (R-LOG-02)", async () => {
    const { execute, call, lines } = await start([sink]);
    await execute("Nope", {}, { traceparent, "x-correlation-id": "of the call" });
    await call("/control/status/none", { headers: { traceparent, "x-correlation-id": "of the call" } });
    await execute("Sink", {}, { "x-correlation-id": "x".repeat(257), traceparent: "nonsense" });
    await execute("Sink", {}, { "x-correlation-id": "\u00e4" });
    await expect.poll(() => lines().filter(({ msg }) => msg === "task ended")).toHaveLength(2);
    const [listening, ...rest] = lines();
    expect(listening?.msg).toBe("listening");
    expect(rest.map((line) => [line.status ?? "", line.correlation_id, line.trace_id])).toEqual([
      ["refused", "of the call", trace],
      ["refused", "of the call", trace],
      ["", undefined, undefined],
      ["complete", undefined, undefined],
      ["", undefined, undefined],
      ["complete", undefined, undefined],
    ]);
  });

  it("goes to a file too where LOG_DIR is set", async () => {
    const log_dir = await tempFolder();
    const { execute } = await start([sink], { log_dir });
    await execute("Sink");
    await expect.poll(() => readFile(`${log_dir}/test.log`, "utf8")).toContain('"msg":"task ended"');
  });
});

describe("traces", () => {
  it("are continued on the calls that fetch inputs (R-TRACE-01)", async () => {
    const seen: IncomingHttpHeaders[] = [];
    const source = createServer((request, response) => {
      seen.push(request.headers);
      response.end("{}");
    });
    await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void source.close());
    const uri = `http://127.0.0.1:${(source.address() as AddressInfo).port}/x`;
    const fetching = defineOperation({
      name: "Fetch",
      sink: true,
      run: async (ctx) => void (await ctx.inputs[0]?.json()),
    });
    const { execute } = await start([fetching]);
    const inputs = [{ protocol: "http", uri, format: "json" }];
    await execute("Fetch", { inputs }, { traceparent });
    await execute("Fetch", { inputs, task_id: "2" }, { traceparent: "nonsense" });
    expect(seen[0]?.traceparent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    expect(seen[0]?.traceparent).not.toBe(traceparent);
    expect(seen[1]?.traceparent).toBeUndefined();
  });
});

describe("beside the control interface", () => {
  it("/metrics counts tasks by state and operation", async () => {
    const { execute, call } = await start([sink, broken]);
    await execute("Sink");
    await execute("Sink", { task_id: "2" });
    await execute("Broken");
    const { body, headers } = await call("/metrics");
    expect(headers.get("content-type")).toContain("text/plain");
    for (const line of [
      'aieffect_tasks_total{operation="Sink",state="complete"} 2',
      'aieffect_tasks_total{operation="Broken",state="failed"} 1',
      'aieffect_tasks_in_flight{operation="Sink"} 0',
      "aieffect_tasks_queued 0",
      'aieffect_task_duration_seconds_count{operation="Sink",state="complete"} 2',
      "process_resident_memory_bytes ",
    ]) {
      expect(body).toContain(line);
    }
  });

  it("/openapi.json, /docs, /health and /ready answer", async () => {
    const { call } = await start([sink], { name: "<b>loader</b>", version: "1.2.3" });
    expect((await call("/openapi.json")).body).toMatchObject({
      openapi: "3.1.0",
      info: { version: "1.2.3" },
    });
    const docs = (await call("/docs")).body as string;
    expect(docs).toContain("&lt;b&gt;loader&lt;/b&gt;");
    expect(docs).not.toContain("<b>");
    expect(docs).toContain("/control/execute -H");
    expect(docs).toContain("sequential: answers with the result");
    expect((await call("/health")).body).toEqual({ status: "ok" });
    expect((await call("/ready")).body).toEqual({ status: "ready", running: 0, waiting: 0 });
  });

  it("everything but /health and /ready needs the key, where there is one (R-AUTH-03)", async () => {
    const { call } = await start([sink], { api_key: "k" });
    const codes = await Promise.all(
      ["/metrics", "/docs", "/openapi.json", "/nope", "/health", "/ready"].map(
        async (path) => (await call(path)).status,
      ),
    );
    expect(codes).toEqual([401, 401, 401, 401, 200, 200]);
    expect((await call("/metrics", { headers: { authorization: "Bearer k" } })).status).toBe(200);
  });
});
