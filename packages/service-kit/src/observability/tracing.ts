import {
  type Attributes,
  context,
  createTraceState,
  type ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { Logger } from "pino";
import type { ResolvedOptions } from "../options.ts";
import { createOtlpExport } from "./otlp-export.ts";
import { type Secrets, toShown } from "./redact.ts";
import { type TraceContext, toTraceIds, toTraceparent } from "./trace.ts";

/** Measures what a service does, as OpenTelemetry spans. */
export interface Tracing {
  /**
   * Begins a span below its parent, or a trace of its own; undefined where nobody records any.
   * What is called meanwhile is told the span's traceparent (R-TRACE-01).
   */
  startSpan(name: string, kind: TracedAs, parent: TraceContext | undefined): TraceSpan | undefined;
  /** Sends what is left, within a limit. */
  close(): Promise<void>;
}

/** `server` answers a call, `client` makes one, `internal` is what happens in between. */
type TracedAs = keyof typeof kinds;

/** A piece of work that is measured; every one has to be ended. */
export interface TraceSpan extends TraceContext {
  /** Tells more about it; texts are redacted. */
  set(attributes: Attributes): void;
  /** Does work as a part of it: in there it is OpenTelemetry's active span, where the application has a context manager. */
  run<T>(work: () => T): T;
  /** Ends it, as failed where what went wrong is given. */
  end(thrown?: unknown): void;
}

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL };

/** Longer texts of exceptions are cut. */
const maxTextLength = 4000;

/** What tracing needs of the service around it. */
interface TracingParts {
  log: Logger;
  /** What never leaves the service. */
  secrets: Secrets;
}

/**
 * Spans go to the collector that the options name. Where they name none, or only the environment
 * does, they go to the provider that the application has registered: whoever registers one, by
 * hand or with `--import`, has read the same environment.
 *
 * @throws TypeError when the packages that send spans are not installed
 */
export function createTracing(options: ResolvedOptions, { log, secrets }: TracingParts): Tracing {
  const { traces, version } = options;
  const isOurs = traces !== undefined && (traces.explicit || globalTracer(version) === undefined);
  const own = isOurs ? createOtlpExport(traces.url, options, log) : undefined;
  return {
    startSpan(name, kind, parent) {
      // Asked for every time, because an application may register its provider after its services.
      const tracer = own === undefined ? globalTracer(version) : own.provider.getTracer(scope, version);
      if (tracer === undefined) return undefined;
      return startSpan(tracer, name, kind, parent, secrets);
    },
    close: async () => own?.close(),
  };
}

function globalTracer(version: string): Tracer | undefined {
  const provider = trace.getTracerProvider() as Partial<ProxyTracerProvider>;
  return provider.getDelegateTracer?.(scope, version);
}

/** Who makes the spans, in every one of them. */
const scope = "@aieffect/service-kit";

function startSpan(
  tracer: Tracer,
  name: string,
  kind: TracedAs,
  parent: TraceContext | undefined,
  secrets: Secrets,
): TraceSpan | undefined {
  const active = context.active();
  // An application that measures its HTTP server has continued the caller's trace already; what is
  // ours lies within its span.
  const isWithin = kind === "server" && trace.getSpanContext(active) !== undefined;
  const span = isWithin
    ? tracer.startSpan(name, { kind: SpanKind.INTERNAL }, active)
    : tracer.startSpan(name, { kind: kinds[kind] }, below(parent));
  // A provider that is shut down, or told to keep quiet here, gives spans without ids.
  return trace.isSpanContextValid(span.spanContext()) ? new RecordedSpan(span, secrets) : undefined;
}

function below(parent: TraceContext | undefined) {
  if (parent === undefined) return ROOT_CONTEXT;
  const spanContext = parent instanceof RecordedSpan ? parent.spanContext : toRemote(parent);
  return spanContext === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

function toRemote({ traceparent, tracestate }: TraceContext): SpanContext | undefined {
  const ids = toTraceIds(traceparent);
  if (ids === undefined) return undefined;
  return {
    traceId: ids.trace_id,
    spanId: ids.span_id,
    traceFlags: ids.flags,
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  };
}

class RecordedSpan implements TraceSpan {
  readonly traceparent: string;
  readonly spanContext: SpanContext;
  readonly #span: Span;
  readonly #secrets: Secrets;

  constructor(span: Span, secrets: Secrets) {
    this.#span = span;
    this.#secrets = secrets;
    this.spanContext = span.spanContext();
    const { traceId: trace_id, spanId: span_id, traceFlags: flags } = this.spanContext;
    this.traceparent = toTraceparent({ trace_id, span_id, flags });
  }

  get tracestate(): string | undefined {
    return this.spanContext.traceState?.serialize() || undefined;
  }

  set(attributes: Attributes): void {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined) continue;
      this.#span.setAttribute(name, typeof value === "string" ? this.#secrets.redact(value) : value);
    }
  }

  run<T>(work: () => T): T {
    return context.with(trace.setSpan(context.active(), this.#span), work);
  }

  end(thrown?: unknown): void {
    if (thrown !== undefined) {
      const { name, message, stack } = this.#describe(thrown);
      this.#span.recordException({ name, message, ...(stack !== undefined && { stack }) });
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
    }
    this.#span.end();
  }

  /** Whatever was thrown: also things without a text, and with getters that throw. */
  #describe(thrown: unknown): { name: string; message: string; stack?: string } {
    const shown = (text: string) => toShown(text, this.#secrets, maxTextLength);
    try {
      if (!(thrown instanceof Error)) return { name: "Error", message: shown(String(thrown)) };
      const { name, message, stack } = thrown;
      const texts = { name: shown(String(name)), message: shown(String(message)) };
      return stack === undefined ? texts : { ...texts, stack: shown(String(stack)) };
    } catch {
      return { name: "Error", message: "Something was thrown that has no text" };
    }
  }
}
