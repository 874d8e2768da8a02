import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { DataReference } from "@aieffect/control-interface";
import {
  defineOperation,
  type Operation,
  type OperationContext,
  type Service,
  type ServiceOptions,
  sequentialService,
  serve,
} from "@aieffect/service-kit";
import { tempFolder } from "@aieffect/test-support";
import { type Client, credentials, loadPackageDefinition, Metadata, type ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { onTestFinished } from "vitest";
import { createProtobufPlane, type ProtobufPlane, type ProtobufPlaneOptions } from "../index.ts";
import { DataGeneratorServiceService as Generator } from "./generated/data_generator.js";
import { descriptors } from "./generated/descriptors.ts";
import { MeterService as Meter } from "./generated/meter.js";

/** A service with a plane, and what a test asks of it. */
export interface Started {
  url: string;
  service: Service;
  plane: ProtobufPlane;
  /** `host:port` of the plane. */
  address: string;
  folder: string;
  /** The log so far, line by line. */
  lines(): Record<string, unknown>[];
  /** Calls an operation; of task-1 in wf-1 unless told otherwise. */
  execute(
    method: string,
    fields?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  close(): Promise<void>;
}

/** What execute answers. */
interface Answer {
  status: string;
  task_id?: string;
  error?: string;
  output: DataReference;
}

type Run = (ctx: OperationContext, plane: ProtobufPlane) => Promise<DataReference>;

/** Starts a service whose operations are given a plane; it is stopped when the test has ended. */
export async function start(
  operations: Record<string, Run | (Omit<Operation, "name" | "run"> & { run: Run })>,
  given: ProtobufPlaneOptions = {},
  options: Partial<ServiceOptions> = {},
): Promise<Started> {
  const plane = createProtobufPlane({ services: [Generator, Meter], descriptors, port: 0, ...given });
  const folder = options.data_dir ?? (await tempFolder());
  let log = "";
  const log_out = new Writable({
    write(chunk, _encoding, done) {
      log += chunk;
      done();
    },
  });
  const service = sequentialService({
    name: "test",
    data_dir: folder,
    log_out,
    log_level: "debug",
    ...options,
    operations: Object.entries(operations).map(([name, one]) => {
      const { run, ...rest } = typeof one === "function" ? { run: one } : one;
      return defineOperation({ name, ...rest, run: (ctx) => run(ctx, plane) });
    }),
    planes: [plane],
  });
  const running = await serve(service, { host: "127.0.0.1", port: 0, handle_signals: false, grace_ms: 0 });
  onTestFinished(running.close);
  return {
    url: running.url,
    service,
    plane,
    address: plane.address ?? "",
    folder,
    lines: () =>
      log
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    async execute(method, fields = {}, more = {}) {
      const body = JSON.stringify({ method, workflow_id: "wf-1", task_id: "task-1", ...fields });
      const key = options.api_key === undefined ? {} : { authorization: `Bearer ${options.api_key}` };
      const headers = { ...key, ...more };
      const response = await fetch(`${running.url}/control/execute`, { method: "POST", body, headers });
      return (await response.json()) as Answer;
    },
    close: running.close,
  };
}

/** A generator's answer with records that tell whose it is. */
export function generated(of: string, records = 1) {
  return {
    success: true,
    message: of,
    records: Array.from({ length: records }, (_, index) => ({
      timestamp: `2026-01-01T00:00:${String(index % 60).padStart(2, "0")}Z`,
      householdId: `HH-${index}`,
      powerConsumption: 100 + index,
      voltage: 230,
      current: 0.5,
    })),
  };
}

/** What a call came to: the message, or the code and text of its refusal. */
export type Outcome = { message: Record<string, unknown> } | { code: number; details: string };

/**
 * Calls an RPC as a program does that knows the deployed .proto files and nothing else: an empty
 * request, and the metadata that it is given.
 */
export function callPlain(
  address: string,
  file: string,
  service: string,
  method: string,
  given: { metadata?: Record<string, string>; request?: object; options?: object } = {},
): Promise<Outcome> {
  const client = plainClient(address, file, service, given.options);
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(given.metadata ?? {})) metadata.set(name, value);
  return new Promise((resolve) => {
    // biome-ignore lint/complexity/noBannedTypes: as grpc-js types what it makes at run time
    (client as unknown as Record<string, Function>)[method]?.(
      given.request ?? {},
      metadata,
      (error: ServiceError | null, message: Record<string, unknown>) => {
        client.close();
        resolve(error === null ? { message } : { code: error.code, details: error.details });
      },
    );
  });
}

/** Calls the deployed generator. */
export function callGenerator(address: string, metadata: Record<string, string> = {}): Promise<Outcome> {
  return callPlain(address, "data_generator.proto", "data_generator.DataGeneratorService", "GenerateData", {
    metadata,
  });
}

/** Metadata that asks for the result of a task. */
export function idsOf(workflow_id: string, task_id: string): Record<string, string> {
  return { "aieffect-workflow-id": workflow_id, "aieffect-task-id": task_id };
}

/** Reads a result in chunks, as a program does that knows results.proto. */
export async function readChunksPlain(
  address: string,
  request: { method: string; workflow_id?: string; task_id?: string; offset?: number },
): Promise<{ data: Buffer; offset: number }[]> {
  const client = plainClient(address, "aieffect/dataplane/v1/results.proto", "aieffect.dataplane.v1.Results");
  try {
    const call = (
      client as unknown as { Read(asked: object): AsyncIterable<{ data: Buffer; offset: number }> }
    ).Read(request);
    const chunks = [];
    for await (const { data, offset } of call) chunks.push({ data, offset });
    return chunks;
  } finally {
    client.close();
  }
}

/** A promise that is settled from outside, to hold an operation where a test wants it. */
export function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A client made at run time from a .proto file of `testing/proto`. */
export function plainClient(address: string, file: string, service: string, options: object = {}): Client {
  const includeDirs = ["../../testing/proto", "../../proto"].map((folder) =>
    fileURLToPath(new URL(folder, import.meta.url)),
  );
  const definition = loadSync(file, { keepCase: true, longs: Number, defaults: true, includeDirs });
  const Made = service
    .split(".")
    .reduce<unknown>(
      (inner, part) => (inner as Record<string, unknown>)[part],
      loadPackageDefinition(definition),
    );
  return new (Made as new (...args: unknown[]) => Client)(address, credentials.createInsecure(), options);
}

export { Generator, Meter };
