import { finished, pipeline, type Readable, Transform } from "node:stream";
import type { DataReference } from "@aieffect/control-interface";
import type { FetchOptions } from "@aieffect/data-plane-file";
import type { TraceContext } from "../observability/trace.ts";
import type { TraceSpan, Tracing } from "../observability/tracing.ts";

/** Reads a payload in one of the ways of a data plane, and measures that where it comes over the network. */
export interface FetchMeter {
  /** A stream; its span lasts to its end, and counts its bytes. */
  stream(open: (options: FetchOptions) => Promise<Readable>): Promise<Readable>;
  /** Something that is whole when it is there; so long lasts its span. `sizeOf` tells its bytes. */
  whole<T>(
    read: (options: FetchOptions) => Promise<T>,
    sizeOf: (value: T) => Size | Promise<Size>,
  ): Promise<T>;
}

type Size = number | undefined;

/** What a meter needs to know. */
export interface FetchMeterParts {
  tracing: Tracing;
  /** The span that the fetch belongs to. */
  trace: TraceContext | undefined;
  options: Required<Pick<FetchOptions, "signal" | "patience_ms" | "onRetry">>;
}

const fetched: readonly string[] = ["http", "https", "s3"];

/** A meter for one input; where nobody records spans it only hands on the trace (R-TRACE-01). */
export function createFetchMeter(
  { protocol, uri, format }: DataReference,
  { tracing, trace, options }: FetchMeterParts,
): FetchMeter {
  const optionsIn = (part: TraceContext | undefined): FetchOptions => ({
    ...options,
    traceparent: part?.traceparent,
    tracestate: part?.tracestate,
  });

  function begin() {
    if (!fetched.includes(protocol)) return undefined;
    const span = tracing.startSpan(`fetch ${protocol}`, "client", trace);
    if (span === undefined) return undefined;
    let resumed = 0;
    const onRetry: FetchOptions["onRetry"] = (notice) => {
      resumed++;
      options.onRetry?.(notice);
    };
    const end = (found: { bytes?: Size; whole: boolean }, error?: unknown) => {
      const bytes = found.bytes === undefined ? {} : { bytes: found.bytes };
      span.set({ protocol, format, ...peerOf(protocol, uri), ...bytes, whole: found.whole, resumed });
      span.end(error);
    };
    return { span, options: { ...optionsIn(span), onRetry }, end };
  }

  return {
    async stream(open) {
      const fetch = begin();
      if (fetch === undefined) return open(optionsIn(trace));
      const source = await opened(fetch, () => open(fetch.options));
      let bytes = 0;
      const counted = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          bytes += chunk.length;
          done(null, chunk);
        },
      });
      // Each side's error reaches the other, and waits in the stream until somebody reads.
      pipeline(source, counted, () => {});
      finished(counted, { writable: false }, (error) => {
        // Who has read enough may stop; that is no failure.
        const stopped = error?.code === "ERR_STREAM_PREMATURE_CLOSE";
        fetch.end({ bytes, whole: error == null }, stopped ? undefined : (error ?? undefined));
      });
      return counted;
    },
    async whole(read, sizeOf) {
      const fetch = begin();
      if (fetch === undefined) return read(optionsIn(trace));
      const value = await opened(fetch, () => read(fetch.options));
      fetch.end({ bytes: await sizeOf(value), whole: true });
      return value;
    },
  };
}

async function opened<T>(
  { span, end }: { span: TraceSpan; end(found: { whole: boolean }, error: unknown): void },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await span.run(work);
  } catch (error) {
    end({ whole: false }, error);
    throw error;
  }
}

/** The host or bucket and no more: a path can have ids in it, and a query keys. */
function peerOf(protocol: string, uri: string) {
  if (!URL.canParse(uri)) return {};
  const { hostname, port } = new URL(uri);
  if (protocol === "s3") return { "aws.s3.bucket": hostname };
  return { "server.address": hostname, "server.port": Number(port) || (protocol === "https" ? 443 : 80) };
}
