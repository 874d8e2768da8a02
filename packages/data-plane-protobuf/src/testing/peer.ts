import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";
import { Readable, type Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { DataReference } from "@aieffect/control-interface";
import {
  loadPackageDefinition,
  type Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { onTestFinished } from "vitest";

/** A deployed generator, made from its .proto file alone. */
export interface Peer {
  /** `host:port` */
  address: string;
  /** To it, as deployed services answer. */
  reference: DataReference;
  /** What calls brought, one after the other. */
  calls: { request: object; metadata: Metadata }[];
}

/** Answers one call: with a message, or as it likes. */
export type Answer = (call: number, callback: sendUnaryData<object>) => object | undefined;

/** Starts one; it is stopped when the test has ended. */
export async function startPeer(
  answer: Answer,
  creds: ServerCredentials = ServerCredentials.createInsecure(),
  port = 0,
): Promise<Peer> {
  const folder = fileURLToPath(new URL("../../testing/proto", import.meta.url));
  const loaded = loadPackageDefinition(
    loadSync("data_generator.proto", { keepCase: true, includeDirs: [folder] }),
  );
  const { DataGeneratorService } = loaded.data_generator as unknown as {
    DataGeneratorService: { service: ServiceDefinition };
  };
  const calls: Peer["calls"] = [];
  const server = new Server();
  server.addService(DataGeneratorService.service, {
    GenerateData(call: { request: object; metadata: Metadata }, callback: sendUnaryData<object>) {
      calls.push({ request: call.request, metadata: call.metadata });
      const message = answer(calls.length, callback);
      if (message !== undefined) callback(null, message);
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, creds, (error, found) => (error ? reject(error) : resolve(found)));
  });
  onTestFinished(() => server.forceShutdown());
  const address = `127.0.0.1:${bound}`;
  return { address, reference: { protocol: "grpc", uri: address, format: "GenerateData" }, calls };
}

/** Serves `Results/Read` with whatever messages a test makes up, no faster than they are taken; gives its `host:port`. */
export async function startChunkPeer(
  messages: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<string> {
  const server = new Server();
  const itself = (bytes: Buffer) => bytes;
  const read = {
    path: "/aieffect.dataplane.v1.Results/Read",
    requestStream: false,
    responseStream: true,
    requestSerialize: itself,
    requestDeserialize: itself,
    responseSerialize: itself,
    responseDeserialize: itself,
  } as const;
  server.addService({ read }, { read: (call: Writable) => void Readable.from(messages()).pipe(call) });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, found) =>
      error ? reject(error) : resolve(found),
    );
  });
  onTestFinished(() => server.forceShutdown());
  return `127.0.0.1:${bound}`;
}

/** Something between two programs that passes bytes on, until it is told not to. */
export interface Proxy {
  address: string;
  /** Connections so far. */
  connections: number;
  /** Sees the bytes towards the caller, of the connection with that number; false cuts it. */
  watch(bytes: Buffer, connection: number): boolean;
}

/** Starts one; it is stopped when the test has ended. */
export async function startProxy(target: string): Promise<Proxy> {
  const [host, port] = target.split(":");
  const open = new Set<Socket>();
  const server = createServer((caller) => {
    const connection = ++proxy.connections;
    const callee = connect(Number(port), host);
    for (const socket of [caller, callee]) {
      open.add(socket);
      // Whoever was cut off has heard of it.
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        caller.destroy();
        callee.destroy();
      });
    }
    caller.pipe(callee);
    callee.on("data", (bytes) => {
      if (!proxy.watch(bytes, connection)) caller.resetAndDestroy();
      else if (!caller.write(bytes)) {
        callee.pause();
        caller.once("drain", () => callee.resume());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const proxy: Proxy = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: 0,
    watch: () => true,
  };
  return proxy;
}
