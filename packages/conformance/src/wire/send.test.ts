import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { History } from "./exchange.ts";
import { createWire } from "./send.ts";

async function wireTo(server: Server) {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const wire = createWire(new History(), { base_url, timeout_ms: 5000, caseId: () => "" });
  onTestFinished(() => {
    wire.close();
    server.closeAllConnections();
    server.close();
  });
  return wire;
}

it("calls again over a new connection when the one it kept had just been closed", async () => {
  let calls = 0;
  const server = createServer((request, response) => {
    // What a server does that stops keeping a connection while a call is on its way.
    if (++calls === 2) return void request.socket.resetAndDestroy();
    response.end("{}");
  });
  const wire = await wireTo(server);
  const [first, second] = [await wire.send({ path: "/a" }), await wire.send({ path: "/b" })];
  expect([first.reply?.status, second.reply?.status, calls]).toEqual([200, 200, 3]);
  expect(second.connection).not.toBe(first.connection);
});

it("calls once where a new connection is cut", async () => {
  let calls = 0;
  const server = createServer((request) => {
    calls++;
    request.socket.resetAndDestroy();
  });
  const wire = await wireTo(server);
  const { reply, silence } = await wire.send({ path: "/a" });
  expect([reply, silence?.kind, calls]).toEqual([undefined, "closed", 1]);
});

it("keeps the beginning of bodies of calls that are to be kept in brief", async () => {
  const server = createServer((_request, response) => void response.end("y".repeat(10_000)));
  const wire = await wireTo(server);
  const { request, reply } = await wire.send({
    path: "/",
    method: "POST",
    body: "x".repeat(9000),
    brief: true,
  });
  expect([request.body.length, reply?.body.length, reply?.cut]).toEqual([4096, 4096, true]);
});
