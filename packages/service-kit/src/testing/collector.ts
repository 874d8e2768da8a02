import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "@aieffect/test-support";
import { onTestFinished } from "vitest";

/** A span as a collector got it. */
export interface CollectedSpan {
  service: string;
  name: string;
  trace_id: string;
  span_id: string;
  /** Empty for the first of a trace. */
  parent_span_id: string;
  /** 1 internal, 2 server, 3 client. */
  kind: number;
  attributes: Record<string, unknown>;
  /** What it says of its failure; undefined where it did not fail. */
  error: string | undefined;
  /** Messages of the exceptions that it recorded. */
  exceptions: string[];
  tracestate: string | undefined;
  /** Of its service. */
  resource: Record<string, unknown>;
}

/** A collector of a few lines that takes OTLP over HTTP, with JSON. */
export interface Collector {
  url: string;
  /** All that came, once there are so many. */
  arrived(count: number): Promise<CollectedSpan[]>;
  /** Everything that was sent, as text. */
  text(): string;
  requests: { path: string; headers: IncomingHttpHeaders }[];
  /** Requests that were not answered yet. */
  open(): number;
}

/** Starts a collector on a free port; it answers with this status, or not at all. */
export async function startCollector(answer: number | "never" = 200): Promise<Collector> {
  const bodies: string[] = [];
  const requests: Collector["requests"] = [];
  let open = 0;
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? "", headers: request.headers });
    open++;
    response.on("close", () => open--);
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      bodies.push(body);
      if (answer !== "never") response.writeHead(answer, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived: (count) =>
      until(`${count} spans`, () => {
        const spans = bodies.flatMap((body) => readSpans(JSON.parse(body)));
        return spans.length >= count ? spans : undefined;
      }),
    text: () => bodies.join("\n"),
    requests,
    open: () => open,
  };
}

/** The part of OTLP's JSON that is read here. */
interface Otlp {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      spans: {
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        traceState?: string;
        name: string;
        kind: number;
        attributes: Attribute[];
        events: { name: string; attributes: Attribute[] }[];
        status: { code: number; message?: string };
      }[];
    }[];
  }[];
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

function readSpans({ resourceSpans }: Otlp): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service: String(toRecord(resource.attributes)["service.name"]),
        name: span.name,
        trace_id: span.traceId,
        span_id: span.spanId,
        parent_span_id: span.parentSpanId ?? "",
        kind: span.kind,
        attributes: toRecord(span.attributes),
        error: span.status.code === 2 ? (span.status.message ?? "") : undefined,
        exceptions: span.events.map(({ attributes }) => String(toRecord(attributes)["exception.message"])),
        tracestate: span.traceState,
        resource: toRecord(resource.attributes),
      })),
    ),
  );
}

function toRecord(attributes: Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
