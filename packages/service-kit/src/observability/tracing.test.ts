import { createServer, get, type IncomingHttpHeaders, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { defineOperation } from "../index.ts";
import { type CollectedSpan, startCollector } from "../testing/collector.ts";
import { gate, start } from "../testing/start.ts";

const trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
const caller_span_id = "00f067aa0ba902b7";
const traceparent = `00-${trace_id}-${caller_span_id}-01`;

const produce = defineOperation({
  name: "Produce",
  run: (ctx) => ctx.publish("[1,2,3]", { format: "json" }),
});
const consume = defineOperation({
  name: "Consume",
  sink: true,
  async run(ctx) {
    await ctx.inputs[0]?.json();
  },
});
const broken = defineOperation({
  name: "Broken",
  run() {
    throw new Error("no token s3cret-canary here");
  },
});

/** Sent at once instead of every 5 s. */
function sendSoon() {
  set({ OTEL_BSP_SCHEDULE_DELAY: "10" });
}

function set(variables: Record<string, string>) {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

/** A server that keeps the headers it gets. */
async function startPeer(answer: RequestListener = (_request, response) => response.end("{}")) {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, port: (server.address() as AddressInfo).port };
}

function one(spans: CollectedSpan[], service: string, name: string): CollectedSpan {
  const found = spans.filter((span) => span.service === service && span.name === name);
  expect(found.map((span) => span.name)).toEqual([name]);
  return found[0] as CollectedSpan;
}

describe("spans that are sent", () => {
  it("join what two services do for a workflow into one trace (R-TRACE-01)", async () => {
    sendSoon();
    const collector = await startCollector();
    const options = { traces_endpoint: collector.url };
    const a = await start([produce], { name: "a", style: "concurrent", ...options });
    const b = await start([consume], { name: "b", ...options });
    const tracestate = "vendor=1";
    const started = await a.execute("Produce", {}, { traceparent, tracestate, prefer: "wait=10" });
    const { output } = started.body as { output: Record<string, unknown> };
    const answered = await b.execute(
      "Consume",
      { inputs: [output], task_id: "task-2" },
      { traceparent, tracestate, "x-correlation-id": "run 7" },
    );
    expect(answered.body).toEqual({ status: "complete", output: null });
    const spans = await collector.arrived(6);
    const of = (service: string, name: string) => one(spans, service, name);
    const executeA = of("a", "POST /control/execute");
    const operationA = of("a", "Produce");
    const executeB = of("b", "POST /control/execute");
    const operationB = of("b", "Consume");
    const fetchB = of("b", "fetch http");
    const dataA = of("a", "GET /control/data/:id");
    expect(spans).toHaveLength(6);
    expect(new Set(spans.map((span) => span.trace_id))).toEqual(new Set([trace_id]));
    expect(new Set(spans.map((span) => span.tracestate))).toEqual(new Set([tracestate]));
    const parents = [executeA, operationA, executeB, operationB, fetchB, dataA].map(
      (span) => span.parent_span_id,
    );
    expect(parents).toEqual([
      caller_span_id,
      executeA.span_id,
      caller_span_id,
      executeB.span_id,
      operationB.span_id,
      fetchB.span_id,
    ]);
    expect([executeA, operationA, fetchB].map((span) => span.kind)).toEqual([2, 1, 3]);
    const ids = { workflow_id: "wf-1", task_id: "task-1", method: "Produce", handle: expect.any(String) };
    expect(operationA.attributes).toEqual({ ...ids, status: "complete" });
    expect(executeA.attributes).toMatchObject({ ...ids, "http.response.status_code": 200 });
    expect(dataA.attributes).toMatchObject({ ...ids, "http.request.method": "GET" });
    expect(operationB.attributes).toMatchObject({ task_id: "task-2", correlation_id: "run 7" });
    expect(fetchB.attributes).toEqual({
      protocol: "http",
      format: "json",
      "server.address": "localhost",
      "server.port": Number(new URL(a.url).port),
      bytes: 7,
      whole: true,
      resumed: 0,
    });
    expect(spans.map((span) => span.error)).toEqual(spans.map(() => undefined));
  });

  it("tell how an operation failed, without the service's secrets, and that it was cancelled", async () => {
    sendSoon();
    const collector = await startCollector();
    const hanging = defineOperation({
      name: "Hanging",
      style: "concurrent",
      sink: true,
      run: ({ signal }) => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
    });
    const silent = defineOperation({
      name: "Silent",
      run() {
        throw undefined;
      },
    });
    const { execute, call } = await start([broken, hanging, silent], {
      traces_endpoint: collector.url,
      api_key: "s3cret-canary",
    });
    const authorization = "Bearer s3cret-canary";
    await execute("Broken", {}, { authorization });
    await execute("Silent", { task_id: "task-3" }, { authorization });
    await execute("Hanging", { task_id: "task-2" }, { authorization });
    await call("/control/cancel/task-2", { method: "POST", headers: { authorization } });
    await call("/control/cancel/unknown", { method: "POST", headers: { authorization } });
    const spans = await collector.arrived(8);
    const message = "no token [redacted] here";
    const failed = one(spans, "test", "Broken");
    expect(failed).toMatchObject({ error: message, exceptions: [message], attributes: { status: "failed" } });
    const cancelled = one(spans, "test", "Hanging");
    expect(one(spans, "test", "Silent").error).toBe("Silent failed without saying why");
    expect(cancelled).toMatchObject({ error: "Cancelled", attributes: { status: "failed" } });
    // The call that was answered with `failed` was answered well, and an unknown task is its caller's mistake.
    const calls = spans.filter((span) => span.kind === 2);
    expect(calls.map((span) => span.error)).toEqual(calls.map(() => undefined));
    expect(calls.map((span) => span.attributes["http.response.status_code"]).sort()).toEqual([
      200, 200, 200, 202, 404,
    ]);
    expect(collector.text()).not.toContain("s3cret-canary");
  });

  it("tell how a fetch failed, from where, and never with which query", async () => {
    sendSoon();
    const collector = await startCollector();
    const peer = await startPeer((_request, response) => response.writeHead(404).end());
    const copy = defineOperation({
      name: "Copy",
      sink: true,
      async run(ctx) {
        await ctx.inputs[0]?.path();
      },
    });
    const { execute } = await start([consume, copy], { traces_endpoint: collector.url, fetch_retries: 0 });
    const uri = `http://127.0.0.1:${peer.port}/x?signature=qu3ry-canary`;
    for (const method of ["Consume", "Copy"]) {
      const { body } = await execute(method, { inputs: [{ protocol: "http", uri, format: "json" }] });
      expect(body).toMatchObject({ status: "failed" });
    }
    const spans = await collector.arrived(6);
    const fetches = spans.filter((span) => span.name === "fetch http");
    expect(fetches.map((span) => span.error)).toEqual([
      expect.stringContaining("found 404"),
      expect.stringContaining("found 404"),
    ]);
    expect(fetches[0]?.attributes).toMatchObject({ "server.address": "127.0.0.1", "server.port": peer.port });
    expect(peer.seen.map((headers) => headers.traceparent)).toEqual(
      fetches.map((span) => `00-${span.trace_id}-${span.span_id}-01`),
    );
    expect(collector.text()).not.toContain("qu3ry-canary");
  });

  it("last as long as what they measure: to the end of a stream, or until it was read enough", async () => {
    sendSoon();
    const collector = await startCollector();
    const peer = await startPeer();
    const opened = gate();
    const goOn = gate();
    const reading = defineOperation({
      name: "Read",
      sink: true,
      async run(ctx) {
        const stream = await ctx.inputs[0]?.stream();
        opened.open();
        await goOn.opened;
        stream?.destroy();
        await ctx.inputs[0]?.path();
      },
    });
    const { execute } = await start([reading], { traces_endpoint: collector.url, style: "concurrent" });
    const uri = `http://127.0.0.1:${peer.port}/x`;
    await execute("Read", { inputs: [{ protocol: "http", uri, format: "json" }] });
    await opened.opened;
    // The call is over, its task and the stream are not.
    expect((await collector.arrived(1)).map((span) => span.name)).toEqual(["POST /control/execute"]);
    goOn.open();
    const spans = await collector.arrived(4);
    const fetches = spans.filter((span) => span.name === "fetch http");
    expect(fetches.map(({ attributes, error }) => ({ whole: attributes.whole, error }))).toEqual([
      { whole: false },
      { whole: true },
    ]);
    expect(fetches[1]?.attributes.bytes).toBe(2);
  });

  it("count bytes in every way of reading, also from a bucket, and how often a fetch went on", async () => {
    sendSoon();
    const collector = await startCollector();
    let cuts = 1;
    const peer = await startPeer((_request, response) => {
      if (cuts-- > 0) response.writeHead(200, { "content-length": 2 }).write("{", () => response.destroy());
      else response.end("{}");
    });
    const reading = defineOperation({
      name: "Read",
      sink: true,
      async run({ inputs }) {
        const [input] = inputs;
        await input?.bytes();
        await input?.path();
        for await (const _ of (await input?.stream({ verified: true })) ?? []);
        for await (const _ of (await input?.stream()) ?? []);
      },
    });
    const endpoint = `http://127.0.0.1:${peer.port}`;
    const { execute } = await start([reading], {
      traces_endpoint: collector.url,
      s3: { endpoint, access_key_id: "k3y-canary", secret_access_key: "s3cret-canary" },
    });
    const inputs = [{ protocol: "s3", uri: "s3://raw/some/k3y-canary", format: "json" }];
    expect((await execute("Read", { inputs })).body).toEqual({ status: "complete", output: null });
    const spans = await collector.arrived(6);
    const fetches = spans.filter((span) => span.name === "fetch s3").map((span) => span.attributes);
    const each = { protocol: "s3", format: "json", "aws.s3.bucket": "raw", bytes: 2, whole: true };
    expect(fetches).toEqual([1, 0, 0, 0].map((resumed) => ({ ...each, resumed })));
    expect(collector.text()).not.toContain("canary");
  });

  it("say that a caller went away before it had the whole payload", async () => {
    sendSoon();
    const collector = await startCollector();
    const large = defineOperation({
      name: "Large",
      run: (ctx) => ctx.publish(Buffer.alloc(16 * 2 ** 20), { format: "binary" }),
    });
    const { execute, url } = await start([large], { traces_endpoint: collector.url });
    const { body } = await execute("Large");
    const { uri } = (body as { output: { uri: string } }).output;
    get(url + new URL(uri).pathname, (response) => response.destroy());
    const spans = await collector.arrived(3);
    expect(one(spans, "test", "GET /control/data/:id").error).toBe("The caller went away");
  });

  it("are given to an operation for calls of its own", async () => {
    sendSoon();
    const collector = await startCollector();
    const seen: (string | undefined)[] = [];
    const calling = defineOperation({
      name: "Calling",
      sink: true,
      run: (ctx) => void seen.push(ctx.traceparent),
    });
    const traced = await start([calling], { traces_endpoint: collector.url });
    await traced.execute("Calling");
    const spans = await collector.arrived(2);
    const { span_id, trace_id } = one(spans, "test", "Calling");
    expect(seen).toEqual([`00-${trace_id}-${span_id}-01`]);
    // Without a caller's trace one begins here, and its lines say which.
    expect(one(spans, "test", "POST /control/execute").parent_span_id).toBe("");
    expect(traced.lines()).toContainEqual(expect.objectContaining({ msg: "task ended", trace_id }));
    const untraced = await start([calling]);
    await untraced.execute("Calling");
    await untraced.execute("Calling", { task_id: "2" }, { traceparent });
    expect(seen[1]).toBeUndefined();
    expect(seen[2]).toMatch(new RegExp(`^00-${traceparent.slice(3, 35)}-[0-9a-f]{16}-01$`));
  });
});

describe("where spans go", () => {
  it.each([
    ["the option, a base", "", {}, "/v1/traces"],
    ["the option, in full", "/in/full", {}, "/in/full"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: "/otlp/" }, "/otlp/v1/traces"],
    [
      "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT before it",
      undefined,
      { OTEL_EXPORTER_OTLP_ENDPOINT: "/wrong", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "/t" },
      "/t",
    ],
  ])("is said by %s; a stop sends what is left", async (_name, option, variables, path) => {
    const collector = await startCollector();
    set(Object.fromEntries(Object.entries(variables).map(([name, given]) => [name, collector.url + given])));
    set({ OTEL_SERVICE_NAME: "Ärger", OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test" });
    set({ OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=seven" });
    const endpoint = option === undefined ? {} : { traces_endpoint: collector.url + option };
    const { execute, service } = await start([produce], { version: "1.2.3", ...endpoint });
    await execute("Produce");
    expect(collector.requests).toEqual([]);
    await service.close();
    expect(collector.requests).toEqual([{ path, headers: expect.objectContaining({ "x-tenant": "seven" }) }]);
    expect((await collector.arrived(1))[0]?.resource).toMatchObject({
      "service.name": "Ärger",
      "service.version": "1.2.3",
      "deployment.environment.name": "test",
      "telemetry.sdk.name": "opentelemetry",
    });
  });

  it.each([
    { OTEL_SDK_DISABLED: "true" },
    { OTEL_TRACES_EXPORTER: "none" },
    { OTEL_TRACES_SAMPLER: "always_off" },
  ])("is nowhere with %o; traces are continued all the same", async (variables) => {
    const collector = await startCollector();
    const peer = await startPeer();
    set({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...variables });
    const { execute, service } = await start([consume]);
    const inputs = [{ protocol: "http", uri: `http://127.0.0.1:${peer.port}/x`, format: "json" }];
    await execute("Consume", { inputs }, { traceparent });
    await service.close();
    expect(collector.requests).toEqual([]);
    expect(peer.seen[0]?.traceparent).toMatch(
      new RegExp(`^00-${trace_id}-(?!${caller_span_id})[0-9a-f]{16}-0`),
    );
  });

  it.each(["collector:4318", "http:///v1", "nonsense"])("cannot be %s", async (traces_endpoint) => {
    await expect(start([produce], { traces_endpoint })).rejects.toThrow(
      `Expected traces_endpoint to be an http or https URL, as in http://localhost:4318, got "${traces_endpoint}"`,
    );
  });
});

describe("a collector that fails", () => {
  it("costs spans and a line a minute, and nothing else", async () => {
    sendSoon();
    set({ OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20h3ader-canary" });
    const collector = await startCollector(401);
    let time = Date.parse("2026-01-01");
    const { execute, lines } = await start([produce], {
      traces_endpoint: collector.url.replace("//", "//user:p4ss-canary@"),
      now: () => time,
    });
    const warnings = () => lines().filter(({ msg }) => msg === "traces could not be sent");
    let executed = 0;
    const executeAndSend = async () => {
      expect((await execute("Produce")).body).toMatchObject({ status: "complete" });
      await collector.arrived(2 * ++executed);
      await until("the collector's answer", () => collector.open() === 0);
    };
    await executeAndSend();
    await until("a warning", () => warnings().length === 1);
    await executeAndSend();
    await executeAndSend();
    time += 61_000;
    await executeAndSend();
    await until("another warning", () => warnings().length === 2);
    expect(warnings()[0]).toMatchObject({
      level: 40,
      endpoint: `${collector.url}/v1/traces`,
      reason: "HTTP 401",
    });
    // Those of the second, and some of the third and fourth: it depends on when their answers are read.
    expect(warnings()[1]?.lost_spans).toBeGreaterThan(2);
    expect(JSON.stringify(lines())).not.toContain("canary");
  });

  it("may be gone", async () => {
    sendSoon();
    // So that it is not tried again.
    set({ OTEL_EXPORTER_OTLP_TIMEOUT: "200" });
    const { execute, lines } = await start([produce], { traces_endpoint: "http://127.0.0.1:1" });
    expect((await execute("Produce")).body).toMatchObject({ status: "complete" });
    await expect
      .poll(lines)
      .toContainEqual(expect.objectContaining({ msg: "traces could not be sent", reason: "ECONNREFUSED" }));
  });

  it("holds a stop up for a moment only", async () => {
    const collector = await startCollector("never");
    const { execute, service, lines } = await start([produce], { traces_endpoint: collector.url });
    await execute("Produce");
    await service.close();
    // It would have been given up after 10 s.
    expect(collector.open()).toBe(1);
    expect(lines()).toContainEqual(
      expect.objectContaining({ msg: "the last traces could not be sent in time" }),
    );
  });
});
