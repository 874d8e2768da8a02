import type { Readable } from "node:stream";
import type { DataReference, Format, Protocol } from "@aieffect/control-interface";
import type { Logger } from "pino";
import type * as z from "zod";

/** Whether execute answers with the result or with a handle to poll (R-RUN-01, R-RUN-02). */
export type Style = "sequential" | "concurrent";

/** What an input or output may be. An absent or empty list means: anything. */
export interface Port {
  protocols?: readonly Protocol[];
  formats?: readonly (Format | (string & {}))[];
}

/** One input of a task. Nothing is read before it is asked for. */
export interface Input {
  /** The reference as it came. */
  readonly reference: DataReference;
  /**
   * The payload as a stream, with back-pressure; size and checksum are verified at its end, where it
   * errors if they differ.
   */
  stream(options?: StreamOptions): Promise<Readable>;
  /** The whole payload in memory. @param max_bytes refuse more; default 64 MiB */
  bytes(max_bytes?: number): Promise<Buffer>;
  /** The whole payload as UTF-8 text. @param max_bytes refuse more; default 64 MiB */
  text(max_bytes?: number): Promise<string>;
  /** The whole payload parsed as JSON. @param max_bytes refuse more; default 64 MiB */
  json(max_bytes?: number): Promise<unknown>;
  /** A path of a local file with the payload: of a `file` input itself, else of a copy in the task's folder. */
  path(): Promise<string>;
}

/** How an input is streamed. */
export interface StreamOptions {
  /**
   * Give nothing of it before all of it is verified: it is fetched into the task's folder first, and
   * fetched again if it came damaged.
   * @default false: as it comes, in constant memory and without the disk
   */
  verified?: boolean;
}

/** What can be published: bytes, text, a stream or generator of either, or a file already written in the task's folder. */
export type Content =
  | string
  | Uint8Array
  | Readable
  | AsyncIterable<string | Uint8Array>
  | Iterable<string | Uint8Array>
  | { path: string };

/** The ways in which the next service can reach a result. */
export const publishedAs: readonly string[] = ["file", "http", "inline", "s3", "presigned"];

/** How a result is published. */
export interface PublishOptions {
  /** The payload's format. */
  format: Format;
  /**
   * How the next service reaches it: `file` on shared storage, `http` from this service's
   * /control/data, `inline` inside the reference (small payloads), `s3` in the bucket of the option `s3`,
   * `presigned` there too, told as a URL that works without credentials for `s3.presign_s` from the
   * end of the task. What is in the bucket stays when the task is dropped.
   * @default the service's `publish_as`
   */
  as?: "file" | "http" | "inline" | "s3" | "presigned";
  /** File name inside the task's folder. @default `output.<format>` */
  name?: string;
  /** Travels with the reference. */
  metadata?: Record<string, unknown>;
}

/** What an operation is given to work with. */
export interface OperationContext<P = Record<string, unknown>> {
  readonly method: string;
  readonly workflow_id: string;
  /** The orchestrator's name for the task; not unique over workflows. */
  readonly task_id: string;
  /** The execution's own id, unique for ever. */
  readonly handle: string;
  /** The inputs in the order in which they came. */
  readonly inputs: readonly Input[];
  /** The parameters, parsed and with defaults; from the request and from inline JSON inputs. */
  readonly parameters: P;
  /** Fires when the task is cancelled or the service stops. */
  readonly signal: AbortSignal;
  /** JSON lines with workflow_id, task_id and method, and with correlation_id and trace_id where the caller sent them. */
  readonly log: Logger;
  /** For calls of the operation's own to other services: the W3C trace that they belong to (R-TRACE-01); undefined where there is none. */
  readonly traceparent: string | undefined;
  /** Reports progress: percent as an integer from 0 to 100; what is below the last report is ignored. */
  progress(percent: number, message?: string): void;
  /** The folder of this execution alone, created when first asked for. */
  folder(): Promise<string>;
  /** Writes a result (atomically, in constant memory) and gives the reference to return. */
  publish(content: Content, options: PublishOptions): Promise<DataReference>;
}

/** An operation: a name, what it takes and gives, and a typed function. */
export interface Operation<P = Record<string, unknown>> {
  /** The `method` of execute. */
  name: string;
  /** @default the style of the service's variant */
  style?: Style;
  /** Completes without an output (R-EXEC-06). @default false */
  sink?: boolean;
  /**
   * What each input must be; a list says it input by input. An inline JSON input that this does
   * not take is read as parameters.
   * @default anything
   */
  input?: Port | readonly Port[];
  /** What the output will be; told to callers, not enforced. @default anything */
  output?: Port;
  /** Schema of the parameters; unknown ones are ignored. @default anything */
  parameters?: z.ZodType<P>;
  /** A CSV without rows is a result (R-RUN-08). @default false */
  allow_empty_csv?: boolean;
  // biome-ignore-start lint/suspicious/noConfusingVoidType: the function of a sink may end without return
  /** Does the work and returns a reference, mostly from `ctx.publish`. Throwing is `failed` with the error's message. */
  run(ctx: OperationContext<P>): Promise<DataReference | undefined | void> | DataReference | undefined | void;
  // biome-ignore-end lint/suspicious/noConfusingVoidType: as above
}

/** Declares an operation; the types of its parameters follow from the schema. */
export function defineOperation<P = Record<string, unknown>>(operation: Operation<P>): Operation<P> {
  return operation;
}
