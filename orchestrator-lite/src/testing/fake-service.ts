import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { DataReference } from "@aieffect/control-interface";
import { onTestFinished } from "vitest";

/** One call that a fake service got. */
export interface Call {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** The parsed body of an execute. */
  body: ExecuteBody;
  /** The body as it came. */
  text: string;
}

/** The body of an execute as it came. */
export interface ExecuteBody {
  method: string;
  workflow_id: string;
  task_id: string;
  inputs: DataReference[];
  parameters?: Record<string, unknown>;
}

/** What a fake service answers: HTTP 200 with a value, or more detailed. */
export type Reply =
  | { status?: number; headers?: Record<string, string>; json?: unknown; text?: string }
  | "hang"
  | "reset";

/** Decides what to answer to a call; `count` is the number of calls of this method and path so far, from 1. */
export type Answering = (call: Call, count: number) => Reply | Promise<Reply>;

/** A service of a few lines that does what a test wants. */
export interface FakeService {
  port: number;
  /** Every call in the order in which they came. */
  calls: Call[];
  /** The executes among them. */
  executes(): Call[];
  /** Open connections that were made to it so far. */
  connections(): number;
  close(): Promise<void>;
}

/** Starts a service on a free port; it stops when the test ends. */
export async function fakeService(answering: Answering): Promise<FakeService> {
  const calls: Call[] = [];
  const counts = new Map<string, number>();
  let connections = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { method = "", url = "", headers } = request;
      const call = {
        method,
        path: url,
        headers,
        text,
        body: (text === "" ? {} : JSON.parse(text)) as ExecuteBody,
      };
      calls.push(call);
      const key = `${method} ${url}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      void Promise.resolve(answering(call, counts.get(key) as number)).then((reply) => send(response, reply));
    });
  });
  server.on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => closeServer(server);
  onTestFinished(close);
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    executes: () => calls.filter(({ path }) => path === "/control/execute"),
    connections: () => connections,
    close,
  };
}

/** A sequential service whose output carries the operation, the task and the inputs it saw. */
export const echo: Answering = ({ path, body }) =>
  path === "/control/execute" ? { json: { status: "complete", output: outputOf(body) } } : { status: 404 };

/** An output that tells where it comes from. */
export function outputOf({ method, workflow_id, task_id, inputs }: ExecuteBody): DataReference {
  return {
    protocol: "file",
    uri: `/data/${workflow_id}/${task_id}`,
    format: "json",
    metadata: { method, workflow_id, from: inputs.map(({ metadata, uri }) => metadata?.method ?? uri) },
  };
}

function send(response: ServerResponse, reply: Reply): void {
  if (reply === "hang") return;
  if (reply === "reset") return void response.socket?.resetAndDestroy();
  const { status = 200, headers = {}, json, text } = reply;
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(text ?? JSON.stringify(json ?? {}));
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
