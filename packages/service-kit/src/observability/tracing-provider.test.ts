import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { context, SpanKind, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { defineOperation } from "../index.ts";
import { startCollector } from "../testing/collector.ts";
import { start } from "../testing/start.ts";

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

beforeEach(() => {
  exporter.reset();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterEach(() => {
  trace.disable();
  context.disable();
});

/** The spans that the application has got, and which lies in which. */
function tree(): [string, string][] {
  const spans = exporter.getFinishedSpans();
  const nameOf = (id: string | undefined) =>
    spans.find((span) => span.spanContext().spanId === id)?.name ?? "";
  return spans.map((span): [string, string] => [nameOf(span.parentSpanContext?.spanId), span.name]).sort();
}

const seen: { active: string | undefined; given: string | undefined }[] = [];
/** Makes a span of its own, after having waited for something. */
const operation = defineOperation({
  name: "Own",
  sink: true,
  async run(ctx) {
    await ctx.folder();
    seen.push({ active: trace.getActiveSpan()?.spanContext().spanId, given: ctx.traceparent?.slice(36, 52) });
    trace.getTracer("app").startSpan("app's own").end();
  },
});

describe("an application's own provider of traces", () => {
  it("gets the service's spans, and operations can add to them", async () => {
    const { execute } = await start([operation]);
    await execute("Own");
    expect(exporter.getFinishedSpans()).toEqual([]);
    // Also one that is registered after the service was made.
    trace.setGlobalTracerProvider(provider);
    await execute("Own", { task_id: "2" });
    expect(tree()).toEqual([
      ["", "POST /control/execute"],
      ["Own", "app's own"],
      ["POST /control/execute", "Own"],
    ]);
    expect(seen.at(-1)?.active).toBe(seen.at(-1)?.given);
    expect(seen.at(-1)?.active).toBeDefined();
  });

  it("is meant by the environment that it has read too, while the option is the service's", async () => {
    trace.setGlobalTracerProvider(provider);
    const collector = await startCollector();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url);
    onTestFinished(() => void vi.unstubAllEnvs());
    const shared = await start([operation]);
    await shared.execute("Own");
    await shared.service.close();
    expect(collector.requests).toEqual([]);
    expect(exporter.getFinishedSpans()).toHaveLength(3);
    exporter.reset();
    const own = await start([operation], { traces_endpoint: collector.url });
    await own.execute("Own");
    await own.service.close();
    expect((await collector.arrived(2)).map(({ name }) => name)).toEqual(["Own", "POST /control/execute"]);
    expect(tree()).toEqual([["", "app's own"]]);
  });

  it("may have measured the call already: then the service's span lies within", async () => {
    trace.setGlobalTracerProvider(provider);
    const { service } = await start([operation]);
    const server = createServer((request, response) => {
      trace.getTracer("http").startActiveSpan("app's server", { kind: SpanKind.SERVER }, (span) => {
        response.on("close", () => span.end());
        service.handle(request, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const body = JSON.stringify({ method: "Own", workflow_id: "w", task_id: "t" });
    const answer = await fetch(`http://127.0.0.1:${port}/control/execute`, { method: "POST", body });
    await answer.text();
    await expect.poll(tree).toEqual([
      ["", "app's server"],
      ["Own", "app's own"],
      ["POST /control/execute", "Own"],
      ["app's server", "POST /control/execute"],
    ]);
    const ours = exporter.getFinishedSpans().find(({ name }) => name === "POST /control/execute");
    expect((ours as ReadableSpan).kind).toBe(SpanKind.INTERNAL);
  });
});
