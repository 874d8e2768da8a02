import { setTimeout as pause } from "node:timers/promises";
import type { PlaneHost } from "@aieffect/service-kit";
import {
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { type ReadRequest, ResultsService } from "../generated/aieffect/dataplane/v1/results.ts";
import type { ResolvedOptions, ServerTls } from "../options.ts";
import { pairIds, readIds } from "../reference/call-ids.ts";
import { streamName } from "../reference/grpc-reference.ts";
import { fullName, toRpcName } from "../reference/rpc.ts";
import { refusal, shown } from "../refusal.ts";
import { findResult } from "../results/find-result.ts";
import type { MessageCache } from "../results/message-cache.ts";
import { readMerged, readMessages } from "../results/result-file.ts";
import { idOf, type ResultIndex } from "../results/result-index.ts";
import { type AnswerParts, answerOnce, answerWithStream } from "./answer.ts";
import { chunkBytes, readChunks } from "./read-chunks.ts";
import { createReflection } from "./reflection.ts";
import { requireKey } from "./require-key.ts";
import { watchCalls } from "./watch-calls.ts";

/** Largest request, in bytes. They are empty, or name a result. */
const maxRequestBytes = 4 * 2 ** 20;

/** So long what was answered last may take to be sent, in ms. */
const lastFrames_ms = 500;

/** What a server serves. */
export interface ResultServerParts {
  options: ResolvedOptions;
  listen_host: string;
  host: PlaneHost;
  index: ResultIndex;
  cache: MessageCache;
}

type HandlerParts = ResultServerParts & Pick<AnswerParts, "going">;

/** A server that listens. */
export interface ResultServer {
  port: number;
  /** Takes no new calls; those that go on have `grace_ms` to end. */
  stop(grace_ms: number): Promise<void>;
}

/** Serves results under the RPCs of the options, and in chunks; health and reflection beside them. @throws Error when the port is taken */
export async function startResultServer(parts: ResultServerParts): Promise<ResultServer> {
  const { options, host, listen_host } = parts;
  const { authenticate } = host;
  const asksForKey = options.require_key && authenticate !== undefined;
  const server = new Server({
    "grpc.max_send_message_length": options.max_message_bytes + chunkBytes,
    "grpc.max_receive_message_length": maxRequestBytes,
    // The first one is nearest to the wire: what the others refuse is counted as well.
    interceptors: [watchCalls({ host, options }), ...(asksForKey ? [requireKey(authenticate)] : [])],
  });
  const going = createGoing();
  const health = addServices(server, { ...parts, going });
  const asked = `${listen_host.includes(":") && !listen_host.startsWith("[") ? `[${listen_host}]` : listen_host}:${options.port}`;
  const port = await bind(server, asked, toCredentials(options.tls));
  const onStopping = () => health.stop();
  host.stopping.addEventListener("abort", onStopping);
  return {
    port,
    async stop(grace_ms) {
      host.stopping.removeEventListener("abort", onStopping);
      health.stop();
      const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      // Calls that watch health, or wait on reflection, never end by themselves.
      const answered = going.none().then(() => pause(lastFrames_ms, undefined, { ref: false }));
      await Promise.race([closed, answered, pause(grace_ms, undefined, { ref: false })]);
      server.forceShutdown();
    },
  };
}

/** Counts calls that are being answered. */
function createGoing(): AnswerParts["going"] & { none(): Promise<void> } {
  let count = 0;
  let waiting: (() => void)[] = [];
  return {
    add() {
      count++;
    },
    remove() {
      if (--count > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    none: () =>
      new Promise((resolve) => {
        if (count === 0) resolve();
        else waiting.push(resolve);
      }),
  };
}

function addServices(server: Server, parts: HandlerParts): { stop(): void } {
  const { options } = parts;
  const rpcs = options.services.flatMap((service) => Object.values(service));
  for (const service of options.services) addService(server, service, parts);
  const read = { ...ResultsService.read, responseSerialize: itself };
  server.addService({ read }, { read: readHandler(rpcs, parts) });
  createReflection(options.descriptors, options.services).addToServer(server);
  const names = [
    "",
    ...new Set([...rpcs.map(({ path }) => toRpcName(path).service), toRpcName(`/${streamName}`).service]),
  ];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, "SERVING"])));
  health.addToServer(server);
  let stopped = false;
  return {
    stop() {
      // Watchers are told once.
      if (stopped) return;
      stopped = true;
      for (const name of names) health.setStatus(name, "NOT_SERVING");
    },
  };
}

/** Messages pass as the bytes that they are on disk, and what callers ask with is not looked at. */
function addService(server: Server, service: ServiceDefinition, parts: HandlerParts): void {
  const raw: Record<string, MethodDefinition<Buffer, Buffer>> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(service)) {
    raw[name] = { ...method, ...asBytes };
    handlers[name] = method.responseStream
      ? streamHandler(method.path, parts)
      : unaryHandler(method.path, parts);
  }
  server.addService(raw, handlers);
}

const itself = (bytes: Buffer): Buffer => bytes;
const asBytes = {
  requestSerialize: itself,
  requestDeserialize: itself,
  responseSerialize: itself,
  responseDeserialize: itself,
};

function unaryHandler(path: string, parts: HandlerParts) {
  const { options, host, index, cache } = parts;
  return answerOnce<Buffer, Buffer>(path, parts, async ({ metadata }, note) => {
    const ids = readIds(metadata);
    note(ids);
    const result = await findResult(path, ids, index, host.find);
    const { message_bytes, file } = result;
    if (message_bytes > options.max_message_bytes) {
      throw refusal(
        status.RESOURCE_EXHAUSTED,
        `The result of ${fullName(path)} has ${message_bytes} bytes, and one message may have ${options.max_message_bytes}; read it with ${streamName}`,
      );
    }
    return cache.get(idOf(result), () => readMerged(file)).catch(goneOr(path));
  });
}

function streamHandler(path: string, parts: HandlerParts) {
  const { options, host, index } = parts;
  return answerWithStream<Buffer, Buffer>(path, parts, async function* ({ metadata }, note) {
    const ids = readIds(metadata);
    note(ids);
    const { file } = await findResult(path, ids, index, host.find);
    try {
      yield* readMessages(file, options.max_message_bytes);
    } catch (error) {
      if (!(error instanceof RangeError)) goneOr(path)(error);
      const { message } = error as RangeError;
      throw refusal(
        status.RESOURCE_EXHAUSTED,
        `${message} in the result of ${fullName(path)}; read it with ${streamName}`,
      );
    }
  });
}

function readHandler(rpcs: readonly { path: string }[], parts: HandlerParts) {
  const { host, index } = parts;
  return answerWithStream(
    `/${streamName}`,
    parts,
    async function* ({ request }: { request: ReadRequest }, note) {
      const path = findRpc(request.method, rpcs);
      const ids = pairIds(request.workflowId, request.taskId, {
        workflow_id: "workflow_id",
        task_id: "task_id",
      });
      note(ids);
      const result = await findResult(path, ids, index, host.find);
      try {
        yield* readChunks(result, request.offset);
      } catch (error) {
        goneOr(path)(error);
      }
    },
  );
}

/** By its full name, or by its last part. @throws refusal INVALID_ARGUMENT */
function findRpc(asked: string, rpcs: readonly { path: string }[]): string {
  const name = asked.replace(/^\//, "");
  const found = rpcs.filter(({ path }) => fullName(path) === name || toRpcName(path).method === name);
  if (found.length === 1) return (found[0] as { path: string }).path;
  const known = rpcs.map(({ path }) => fullName(path)).join(", ");
  const why =
    found.length === 0 ? "an RPC of this service" : "the full name of an RPC, because several are called so";
  throw refusal(
    status.INVALID_ARGUMENT,
    `Expected ${why} as method, found ${shown(asked)}; there is: ${known}`,
  );
}

/** A file can go between the look at its task and the reading: the task was dropped just then. */
function goneOr(path: string): (error: unknown) => never {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw refusal(status.NOT_FOUND, `The result of ${fullName(path)} is no longer kept; run the task again`);
  };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) return resolve(port);
      const why = /EADDRINUSE/.test(error.message)
        ? `Port ${address.replace(/^.*:/, "")} for gRPC is taken; set GRPC_PORT to another one, or to 0 for a free one`
        : `gRPC cannot listen on ${address}; check GRPC_PORT and the address. ${error.message}`;
      reject(new Error(why, { cause: error }));
    });
  });
}

function toCredentials(tls: ServerTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { cert, key, client_ca } = tls;
  const pair = { cert_chain: Buffer.from(cert as string), private_key: Buffer.from(key as string) };
  const authority = client_ca === undefined ? null : Buffer.from(client_ca as string);
  return ServerCredentials.createSsl(authority, [pair], authority !== null);
}
