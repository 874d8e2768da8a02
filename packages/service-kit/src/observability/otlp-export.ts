import { createRequire } from "node:module";
import type { TracerProvider } from "@opentelemetry/api";
import type * as Exporter from "@opentelemetry/exporter-trace-otlp-http";
import type * as Resources from "@opentelemetry/resources";
import type * as Sdk from "@opentelemetry/sdk-trace-base";
import type { Logger } from "pino";
import type { ResolvedOptions } from "../options.ts";

/** Spans on their way to a collector. */
export interface OtlpExport {
  provider: TracerProvider;
  /** Sends what is left, for at most 2 s. */
  close(): Promise<void>;
}

const flushLimit_ms = 2000;
const warnEvery_ms = 60_000;

/**
 * Sends spans in batches as OTLP over HTTP, with JSON. What cannot be sent is dropped: at most
 * 2,048 spans wait (`OTEL_BSP_MAX_QUEUE_SIZE`), and a line a minute says so.
 */
export function createOtlpExport(
  url: string,
  { name, version, now }: Pick<ResolvedOptions, "name" | "version" | "now">,
  log: Logger,
): OtlpExport {
  const sdk = load<typeof Sdk>("@opentelemetry/sdk-trace-base");
  const { OTLPTraceExporter } = load<typeof Exporter>("@opentelemetry/exporter-trace-otlp-http");
  const resources = loadResources();
  // What the environment says of the service (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) goes over its own name.
  const resource = resources
    .defaultResource()
    .merge(resources.resourceFromAttributes({ "service.name": name, "service.version": version }))
    .merge(resources.detectResources({ detectors: [resources.envDetector] }));
  const warn = createWarning(log, url, now);
  const exporter = new OTLPTraceExporter({ url });
  const watched: Sdk.SpanExporter = {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code !== 0) warn(spans.length, result.error);
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
  const provider = new sdk.BasicTracerProvider({
    resource,
    spanProcessors: [new sdk.BatchSpanProcessor(watched)],
  });
  async function flush(): Promise<void> {
    // What could not be sent was said where it happened.
    const flushed = provider.shutdown().then(
      () => true,
      () => true,
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, flushLimit_ms, false);
    });
    const inTime = await Promise.race([flushed, late]);
    clearTimeout(timer);
    if (!inTime) log.warn({ endpoint: shown(url) }, "the last traces could not be sent in time");
  }
  let closed: Promise<void> | undefined;
  return {
    provider,
    close() {
      closed ??= flush();
      return closed;
    },
  };
}

const install = "npm install @opentelemetry/sdk-trace-base@2 @opentelemetry/exporter-trace-otlp-http@0.223";
const require = createRequire(import.meta.url);

/** Loaded here and not imported: who sends no traces needs neither the packages nor the time. */
function load<T>(name: string): T {
  try {
    return require(name) as T;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw cause;
    throw new TypeError(
      `Expected the packages that send traces, because traces_endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) is set; found no ${name}. Install them: ${install}`,
      { cause },
    );
  }
}

/** The SDK's own: as a peer it would stand in the way of applications that have another one of their own. */
function loadResources(): typeof Resources {
  return createRequire(require.resolve("@opentelemetry/sdk-trace-base"))("@opentelemetry/resources");
}

/** Says that spans were lost, once a minute at most. Never what was sent: headers can be keys. */
function createWarning(log: Logger, url: string, now: () => number) {
  let warned_at = Number.NEGATIVE_INFINITY;
  let lost = 0;
  return (spans: number, error: (Error & { code?: string | number }) | undefined) => {
    lost += spans;
    if (now() - warned_at < warnEvery_ms) return;
    const found = error?.code ?? error?.message ?? "no answer that says why";
    const reason = typeof found === "number" ? `HTTP ${found}` : found;
    log.warn({ endpoint: shown(url), reason, lost_spans: lost }, "traces could not be sent");
    warned_at = now();
    lost = 0;
  };
}

/** Without user, password and query, which can be keys. */
function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
