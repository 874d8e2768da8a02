import { createServer as createPlainServer } from "node:http";
import { createServer, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { callGrpc } from "./call-grpc.ts";

async function addressOf(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that answers with these bytes and trailers, and what it was asked with. */
async function startServer(bytes: Buffer, trailers: Record<string, string>) {
  const asked: { path: string | undefined; metadata: unknown; body: string }[] = [];
  const server = createServer();
  server.on("stream", async (stream: ServerHttp2Stream, headers) => {
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    asked.push({
      path: headers[":path"],
      metadata: headers["aieffect-task-id"],
      body: Buffer.concat(parts).toString("hex"),
    });
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(bytes);
  });
  return { asked, address: await addressOf(server) };
}

function ask(address: string, timeout_ms = 5000) {
  return callGrpc({
    address,
    path: "/pipeline.Loader/Load",
    metadata: { "aieffect-task-id": "task-1" },
    timeout_ms,
  });
}

const framed = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, 0, text.length]), Buffer.from(text)]);

it("asks with an empty message and the metadata, and gives the message that was answered", async () => {
  const { asked, address } = await startServer(framed("hello"), { "grpc-status": "0" });
  expect(await ask(address)).toEqual({ bytes: Buffer.from("hello") });
  expect(asked).toEqual([{ path: "/pipeline.Loader/Load", metadata: "task-1", body: "0000000000" }]);
});

it.each([
  [
    "a status",
    Buffer.alloc(0),
    { "grpc-status": "5", "grpc-message": "no result%2C yet" },
    "answered grpc-status 5, no result, yet",
  ],
  ["no status", framed("x"), {}, "answered HTTP 200 without a grpc-status"],
  [
    "half a message",
    framed("hello").subarray(0, 7),
    { "grpc-status": "0" },
    "answered something else than one",
  ],
  [
    "two messages",
    Buffer.concat([framed("a"), framed("b")]),
    { "grpc-status": "0" },
    "answered something else",
  ],
])("says what was answered instead: %s", async (_name, bytes, trailers, problem) => {
  const { address } = await startServer(bytes, trailers);
  expect((await ask(address)).problem).toContain(`/pipeline.Loader/Load at ${address}: ${problem}`);
});

it("says so where no gRPC server is", async () => {
  const http = await addressOf(createPlainServer((_request, response) => response.end("hello")));
  expect((await ask(http)).problem).toContain(`at ${http}: `);
  const gone = createTcpServer();
  const address = await addressOf(gone);
  gone.close();
  expect((await ask(address)).problem).toContain("ECONNREFUSED");
  const silent = await addressOf(createTcpServer(() => {}));
  expect((await ask(silent, 100)).problem).toContain("no answer within 100 ms");
});
