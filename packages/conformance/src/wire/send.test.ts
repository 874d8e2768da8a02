import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import { History } from "./exchange.ts";
import { createWire } from "./send.ts";

async function wireTo(server: Server, history = new History()) {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const wire = createWire(history, { base_url, timeout_ms: 5000, impatient_ms: 100, caseId: () => "" });
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

it("reads what is packed without having been asked for, as other clients do", async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync('{"status":"ok"}'));
  });
  const wire = await wireTo(server);
  expect((await wire.send({ path: "/health" })).reply?.body.toString()).toBe('{"status":"ok"}');
});

it("waits less for a peer that never answers, until it does", async () => {
  let answers = false;
  const server = createServer((_, response) => void (answers && response.end()));
  const wire = await wireTo(server);
  const silent = async (timeout_ms: number) => (await wire.send({ path: "/", timeout_ms })).silence?.message;
  // Side by side they wait once.
  await Promise.all([1, 2, 3, 4].map(() => silent(50)));
  await silent(50);
  expect(await silent(150)).toBe("no whole reply within 150 ms");
  expect(await silent(60_000)).toBe("no whole reply within 100 ms");
  answers = true;
  expect(await silent(60_000)).toBeUndefined();
  answers = false;
  expect(await silent(160)).toBe("no whole reply within 160 ms");
});

it("keeps the beginning of a long payload, and hands out all of it", async () => {
  const long = Buffer.alloc(2 ** 20 + 1, "x");
  const history = new History();
  const wire = await wireTo(
    createServer((_, response) => response.end(long)),
    history,
  );
  const { n, reply } = await wire.send({ path: "/data" });
  expect([reply?.body.length, reply?.cut]).toEqual([long.length, false]);
  expect(history.exchanges[n]?.reply?.body.length).toBe(4096);
  expect(history.exchanges[n]?.reply?.cut).toBe(true);
});

it("does not call what no payload is kept at: the metadata service of a cloud", async () => {
  const wire = await wireTo(createServer());
  const { silence } = await wire.send({ path: "http://169.254.169.254/latest/meta-data/" });
  expect(silence).toEqual({
    kind: "refused",
    message: "Refused to call 169.254.169.254: link-local and metadata addresses are never called",
  });
});
