import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { tempFolder } from "@aieffect/test-support";
import express from "express";
import { onTestFinished } from "vitest";
import type { Operation, ServeOptions, Service, ServiceOptions } from "../index.ts";
import { concurrentService, controlRouter, sequentialService, serve } from "../index.ts";

/** How a test reaches a service: the standalone server, or a router in somebody's app. */
export type Door = "serve" | "router" | "router behind express.json()";
export const doors: Door[] = ["serve", "router", "router behind express.json()"];

/** A started service and what a test asks of it. */
export interface Started {
  url: string;
  service: Service;
  folder: string;
  /** The log so far, line by line. */
  lines(): Record<string, unknown>[];
  call(path: string, init?: RequestInit): Promise<{ status: number; headers: Headers; body: unknown }>;
  execute(
    method: string,
    fields?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): ReturnType<Started["call"]>;
}

// biome-ignore lint/suspicious/noExplicitAny: parameters differ from operation to operation
type Operations = Operation<any>[];

/** Starts a service behind one of the doors on a free port; it is stopped when the test has ended. */
export async function start(
  operations: Operations,
  {
    door = "serve",
    style = "sequential",
    listen = {},
    ...options
  }: Partial<ServiceOptions> & {
    door?: Door;
    style?: "sequential" | "concurrent";
    listen?: ServeOptions;
  } = {},
): Promise<Started> {
  const folder = options.data_dir ?? (await tempFolder());
  let log = "";
  const log_out = new Writable({
    write(chunk, _encoding, done) {
      log += chunk;
      done();
    },
  });
  const variant = style === "sequential" ? sequentialService : concurrentService;
  const service = variant({ operations, name: "test", data_dir: folder, log_out, ...options });
  const url = await open(service, door, listen);
  const call: Started["call"] = async (path, init) => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("application/json");
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== "" ? JSON.parse(text) : text,
    };
  };
  return {
    url,
    service,
    folder,
    call,
    lines: () =>
      log
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    execute: (method, fields = {}, headers = {}) =>
      call("/control/execute", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ method, workflow_id: "wf-1", task_id: "task-1", ...fields }),
      }),
  };
}

async function open(service: Service, door: Door, listen: ServeOptions): Promise<string> {
  if (door === "serve") {
    const given = { host: "127.0.0.1", port: 0, handle_signals: false, grace_ms: 0, ...listen };
    const running = await serve(service, given);
    onTestFinished(() => running.close());
    return running.url;
  }
  const app = express();
  if (door === "router behind express.json()") app.use(express.json());
  app.use(controlRouter(service));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await service.close();
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  service.setSelfUrl(url);
  return url;
}

/** A promise that is settled from outside, to hold an operation where a test wants it. */
export function gate<T = void>() {
  let open: (value: T) => void = () => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
