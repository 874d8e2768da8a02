import type { DataReference } from "@aieffect/control-interface";
import {
  type FilePlane,
  toFileReference,
  toHttpReference,
  toInlineReference,
} from "@aieffect/data-plane-file";
import type { Logger } from "pino";
import type { Content, Input, OperationContext, PublishOptions } from "../operation.ts";
import { createInput } from "./input.ts";
import type { Published } from "./result.ts";

/** What a context needs of the service around it. */
export interface ContextServices {
  plane: FilePlane;
  publish_as: NonNullable<PublishOptions["as"]>;
  /** The URL under which peers fetch the payload of an execution. */
  dataUrl(handle: string): string;
}

/** What a context is made of. */
export interface ContextParts<P> {
  method: string;
  workflow_id: string;
  task_id: string;
  handle: string;
  parameters: P;
  data: readonly DataReference[];
  signal: AbortSignal;
  traceparent: string | undefined;
  /** Called once, when the operation first logs. */
  createLog(): Logger;
  onProgress(percent: number, message: string | undefined): void;
  onFolder(folder: string): Promise<void>;
}

/** What an operation works with, made as far as it asks for it; `published` collects its results. */
export class TaskContext<P> implements OperationContext<P> {
  readonly published: Published[] = [];
  readonly #parts: ContextParts<P>;
  readonly #services: ContextServices;
  #inputs: readonly Input[] | undefined;
  #log: Logger | undefined;
  #folder: Promise<string> | undefined;

  constructor(parts: ContextParts<P>, services: ContextServices) {
    this.#parts = parts;
    this.#services = services;
    // Bound, so that operations can take them out of the context.
    this.progress = this.progress.bind(this);
    this.folder = this.folder.bind(this);
    this.publish = this.publish.bind(this);
  }

  get method() {
    return this.#parts.method;
  }
  get workflow_id() {
    return this.#parts.workflow_id;
  }
  get task_id() {
    return this.#parts.task_id;
  }
  get handle() {
    return this.#parts.handle;
  }
  get parameters() {
    return this.#parts.parameters;
  }
  get signal() {
    return this.#parts.signal;
  }
  get log(): Logger {
    this.#log ??= this.#parts.createLog();
    return this.#log;
  }
  get inputs(): readonly Input[] {
    const { data, signal, traceparent } = this.#parts;
    const { plane } = this.#services;
    this.#inputs ??= data.map((reference) =>
      createInput(reference, { plane, signal, traceparent, folder: this.folder }),
    );
    return this.#inputs;
  }

  progress(percent: number, message?: string): void {
    if (typeof percent !== "number" || Number.isNaN(percent)) {
      throw new TypeError(`Expected progress to be a number from 0 to 100, got ${percent}`);
    }
    this.#parts.onProgress(Math.trunc(Math.min(100, Math.max(0, percent))), message);
  }

  folder(): Promise<string> {
    const { workflow_id, task_id, onFolder } = this.#parts;
    this.#folder ??= this.#services.plane.createTaskFolder(workflow_id, task_id).then(async (folder) => {
      await onFolder(folder);
      return folder;
    });
    return this.#folder;
  }

  async publish(content: Content, options: PublishOptions): Promise<DataReference> {
    const { format, as = this.#services.publish_as, name = `output.${format}`, metadata } = options;
    const { plane } = this.#services;
    const { handle, signal } = this.#parts;
    const stored = await plane.store(content, { folder: await this.folder(), name, format, signal });
    const extra = metadata === undefined ? {} : { metadata };
    const reference =
      as === "inline"
        ? await toInlineReference(stored, extra)
        : as === "http"
          ? toHttpReference(stored, this.#services.dataUrl(handle), extra)
          : toFileReference(stored, extra);
    this.published.push({ reference, path: stored.path, csv_rows: stored.csv_rows });
    return reference;
  }
}
