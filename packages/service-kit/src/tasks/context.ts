import type { Readable } from "node:stream";
import { type DataReference, formats, isFormat } from "@aieffect/control-interface";
import type { FilePlane, RetryNotice } from "@aieffect/data-plane-file";
import type { Logger } from "pino";
import type { TraceContext } from "../observability/trace.ts";
import type { Tracing } from "../observability/tracing.ts";
import {
  type Content,
  type Input,
  type OperationContext,
  type PublishOptions,
  publishedAs,
} from "../operation.ts";
import type { Execution } from "./execution.ts";
import { heeded } from "./heeded.ts";
import { createInput } from "./input.ts";
import { assertReachable, makeReachable } from "./make-reachable.ts";
import type { Published } from "./result.ts";

/** What a context needs of the engine around it; one for all contexts. */
export interface ContextHost {
  plane: FilePlane;
  tracing: Tracing;
  publish_as: NonNullable<PublishOptions["as"]>;
  /** So long the inputs of a sequential operation may bring nothing. */
  patience_ms: number | undefined;
  /** The URL under which peers fetch the payload of an execution. */
  dataUrl(handle: string): string;
  createLog(execution: Execution, trace: TraceContext | undefined): Logger;
  report(execution: Execution, percent: number, message: string | undefined): void;
  /** Logs that an input's fetch goes on. */
  noteRetry(execution: Execution, log: Logger, notice: RetryNotice): void;
  createFolder(execution: Execution): Promise<string>;
}

/** What an operation works with, made as far as it asks for it; `published` collects its results. */
export class TaskContext<P> implements OperationContext<P> {
  readonly published: Published[] = [];
  readonly parameters: P;
  readonly #execution: Execution;
  readonly #data: readonly DataReference[];
  readonly #abort: { readonly signal: AbortSignal };
  readonly #trace: TraceContext | undefined;
  readonly #host: ContextHost;
  #inputs: readonly Input[] | undefined;
  #log: Logger | undefined;
  #folder: Promise<string> | undefined;
  readonly #names = new Set<string>();
  readonly #opened = new Set<Readable>();

  constructor(
    host: ContextHost,
    execution: Execution,
    parameters: P,
    data: readonly DataReference[],
    abort: { readonly signal: AbortSignal },
    trace: TraceContext | undefined,
  ) {
    this.#host = host;
    this.#execution = execution;
    this.parameters = parameters;
    this.#data = data;
    this.#abort = abort;
    this.#trace = trace;
  }

  get method() {
    return this.#execution.method;
  }
  get workflow_id() {
    return this.#execution.workflow_id;
  }
  get task_id() {
    return this.#execution.task_id;
  }
  get handle() {
    return this.#execution.handle;
  }
  get traceparent() {
    return this.#trace?.traceparent;
  }
  get signal() {
    return this.#abort.signal;
  }
  get log(): Logger {
    this.#log ??= this.#host.createLog(this.#execution, this.#trace);
    return this.#log;
  }
  get inputs(): readonly Input[] {
    this.#inputs ??= this.#data.map((reference) =>
      createInput(reference, {
        plane: this.#host.plane,
        abort: this.#abort,
        tracing: this.#host.tracing,
        trace: this.#trace,
        folder: this.folder,
        patience_ms: this.#execution.style === "sequential" ? this.#host.patience_ms : undefined,
        onOpen: (stream) => this.#opened.add(stream),
        onRetry: (notice) => this.#host.noteRetry(this.#execution, this.log, notice),
      }),
    );
    return this.#inputs;
  }

  // Made on access, so that operations can take them out of the context, and those that do not pay nothing.
  get progress() {
    return (percent: number, message?: string): void => this.#progress(percent, message);
  }
  get folder() {
    return (): Promise<string> => {
      this.#folder ??= heeded(this.#host.createFolder(this.#execution));
      return this.#folder;
    };
  }
  get publish() {
    return (content: Content, options: PublishOptions) => heeded(this.#publish(content, options));
  }

  #progress(percent: number, message: string | undefined): void {
    if (typeof percent !== "number" || Number.isNaN(percent)) {
      throw new TypeError(`Expected progress to be a number from 0 to 100, got ${percent}`);
    }
    this.#host.report(this.#execution, Math.trunc(Math.min(100, Math.max(0, percent))), message);
  }

  async #publish(content: Content, options: PublishOptions): Promise<DataReference> {
    assertPublishOptions(options);
    const { plane, publish_as, dataUrl } = this.#host;
    const { format, as = publish_as, name = `output.${format}`, metadata } = options;
    const { signal } = this.#abort;
    assertReachable(as, plane.bucket);
    if (this.#names.has(name)) {
      throw new TypeError(
        `Expected every result of a task to have a name of its own, got ${name} twice; give publish a name`,
      );
    }
    this.#names.add(name);
    const stored = await plane.store(content, { folder: await this.folder(), name, format, signal });
    const reachable = await makeReachable(stored, as, {
      plane,
      dataUrl: () => dataUrl(this.handle),
      ids: [this.workflow_id, this.task_id, this.handle],
      name,
      extra: metadata === undefined ? {} : { metadata },
      signal,
      traceparent: this.#trace?.traceparent,
    });
    const { path, size_bytes, csv_rows } = stored;
    this.published.push({ ...reachable, path, format, size_bytes, csv_rows });
    return reachable.reference;
  }

  /** The task is over: what was opened and not read to its end is closed. */
  close(): void {
    for (const stream of this.#opened) stream.destroy();
  }
}

/** Said in full, because this is the first thing that people type. */
function assertPublishOptions(options: PublishOptions | undefined): void {
  const example = 'as in publish(content, { format: "csv" })';
  if (!isFormat(options?.format)) {
    throw new TypeError(
      `Expected a format to publish, one of ${formats.join(", ")}, ${example}; got ${options?.format}`,
    );
  }
  if (options.as !== undefined && !publishedAs.includes(options.as)) {
    throw new TypeError(
      `Expected publish to be told as one of ${publishedAs.join(", ")}, got "${options.as}"`,
    );
  }
}
