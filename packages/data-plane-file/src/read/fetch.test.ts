import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
} from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { buffer } from "node:stream/consumers";
import type { DataReference } from "@aieffect/control-interface";
import { tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFilePlane, type FilePlane, type FilePlaneOptions } from "../index.ts";

const to = (uri: string): DataReference => ({ protocol: "http", uri, format: "json" });
const read = async (plane: FilePlane, uri: string) => String(await buffer(await plane.open(to(uri))));

async function startPlane(options: Partial<FilePlaneOptions> = {}): Promise<FilePlane> {
  // One answer, one verdict: what is tried again is the matter of transfer.test.ts.
  const plane = createFilePlane({ data_dir: await tempFolder(), fetch_retries: 0, ...options });
  onTestFinished(() => plane.close());
  return plane;
}

async function serve(listener: RequestListener) {
  const requests: { url: string; headers: IncomingHttpHeaders }[] = [];
  let connections = 0;
  let open = 0;
  const server = createServer((request, response) => {
    requests.push({ url: request.url ?? "", headers: request.headers });
    listener(request, response);
  });
  server.on("connection", (socket) => {
    connections++;
    open++;
    socket.on("close", () => open--);
  });
  server.listen(0, "127.0.0.1");
  await until("the server", () => server.listening);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    connections: () => connections,
    open: () => open,
  };
}

/** A server that speaks by the byte; it answers everything the same. */
async function serveRaw(answer: string): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answer));
  }).listen(0, "127.0.0.1");
  await until("the server", () => server.listening);
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("a good answer", () => {
  it("is read over a connection that is kept, with the trace continued and no encoding", async () => {
    const peer = await serve((_request, response) => response.end("{}"));
    const plane = await startPlane();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (let call = 0; call < 3; call++) {
      const stream = await plane.open(to(`${peer.origin}/a`), { traceparent });
      expect(String(await buffer(stream))).toBe("{}");
    }
    expect(peer.connections()).toBe(1);
    expect(peer.requests[0]?.headers).toMatchObject({ traceparent, "accept-encoding": "identity" });
    expect(peer.requests[0]?.headers.authorization).toBeUndefined();
  });

  it("is read again when a kept connection was closed by the peer", async () => {
    const connections = new Set<IncomingMessage["socket"]>();
    let cut = false;
    const peer = await serve((request, response) => {
      if (connections.has(request.socket)) {
        cut = true;
        return request.socket.destroy();
      }
      connections.add(request.socket);
      response.end("good");
    });
    const plane = await startPlane();
    expect(await read(plane, peer.origin)).toBe("good");
    expect(await read(plane, peer.origin)).toBe("good");
    expect(cut).toBe(true);
  });
});

describe("a bad answer", () => {
  const status = (code: number, body: string, type = "application/json"): RequestListener => {
    return (_request, response) => response.writeHead(code, { "content-type": type }).end(body);
  };

  it.each<[string, RequestListener, string]>([
    ["204", status(204, ""), "expected HTTP 200, found 204"],
    [
      "404 with a detail",
      status(404, '{"detail":"Task not found"}'),
      "expected HTTP 200, found 404 (Task not found); the payload may have been dropped meanwhile",
    ],
    ["500 without JSON", status(500, "<html>"), "expected HTTP 200, found 500"],
    [
      "500 with a huge body",
      status(500, `{"detail":"${"x".repeat(100_000)}"}`),
      "expected HTTP 200, found 500",
    ],
    [
      "401",
      status(401, '{"detail":"Unauthorized"}'),
      "expected HTTP 200, found 401 (Unauthorized); the peer asks for a key: list it in the option `peer_keys`, or have the peer hand out signed URLs",
    ],
    [
      "an encoded body",
      (_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("x"),
      "expected the payload as it is, found it encoded as gzip although identity was asked for; turn compression off in the peer, or in the proxy before it",
    ],
    [
      "an announced size above the limit",
      (_request, response) => response.writeHead(200, { "content-length": 2000 }).write("x"),
      "expected at most 1000 bytes, found 2000; raise the option `max_fetch_bytes` if that is meant",
    ],
    [
      "a redirect to nowhere",
      (_request, response) => response.writeHead(302).end(),
      "expected a redirect (302) to an http or https URL, found none",
    ],
    [
      "a redirect to a file",
      (_request, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end(),
      'expected a redirect (302) to an http or https URL, found "file:///etc/passwd"',
    ],
  ])("%s is refused, and shows no query", async (_name, listener, message) => {
    const peer = await serve(listener);
    const plane = await startPlane({ max_fetch_bytes: 1000 });
    await expect(plane.open(to(`${peer.origin}/a?signature=secret`))).rejects.toMatchObject({
      code: "unreadable_reference",
      message: `Cannot read ${peer.origin}/a: ${message}`,
    });
  });

  it("stops a body that never ends, and the connection with it", async () => {
    const peer = await serve((_request, response) => {
      const more = () =>
        response.destroyed || (response.write("x".repeat(1000)) ? setImmediate(more) : undefined);
      response.on("drain", more);
      more();
    });
    const plane = await startPlane({ max_fetch_bytes: 1e6 });
    await expect(read(plane, peer.origin)).rejects.toMatchObject({
      code: "unreadable_reference",
      message: `Cannot read ${peer.origin}/: expected at most 1000000 bytes, found more; raise the option \`max_fetch_bytes\` if that is meant`,
    });
    await until("the connection to close", () => peer.open() === 0);
  });

  it.each([
    ["with a length", "content-length: 10\r\n\r\nabc", "10 bytes"],
    ["in chunks", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", "more"],
  ])("notices a body %s that is cut", async (_name, rest, expected) => {
    const origin = await serveRaw(`HTTP/1.1 200 OK\r\n${rest}`);
    await expect(read(await startPlane(), origin)).rejects.toMatchObject({
      code: "unreadable_reference",
      message: `Cannot read ${origin}/: expected ${expected}, found the connection cut after 3 bytes; try again, or look into the peer's log`,
    });
  });

  it.each([
    ["no HTTP at all", "what?\r\n\r\n"],
    ["nothing", ""],
    ["another protocol", "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"],
  ])("refuses %s", async (_name, answer) => {
    const origin = await serveRaw(answer);
    await expect(read(await startPlane(), origin)).rejects.toMatchObject({
      code: "unreadable_reference",
      message: expect.stringContaining(`Cannot read ${origin}/: `),
    });
  });

  it("says that nobody listens", async () => {
    const peer = await serveRaw("");
    const origin = peer.replace(/\d+$/, "1");
    await expect(read(await startPlane(), origin)).rejects.toMatchObject({
      message: `Cannot read ${origin}/: nothing listens there; is the service started, and is this its port? (ECONNREFUSED)`,
    });
  });

  it("gives up on a peer that says nothing, before and in the middle of a body", async () => {
    const peer = await serve((request, response) => {
      if (request.url === "/body") response.writeHead(200).write("x");
    });
    const plane = await startPlane({ fetch_idle_timeout_ms: 50 });
    await expect(read(plane, peer.origin)).rejects.toThrow("no answer within 0.05 s");
    await expect(read(plane, `${peer.origin}/body`)).rejects.toThrow("no byte came for 0.05 s after 1 bytes");
  });

  it("does not take a slow reader for a silent peer", async () => {
    const size = 2 ** 20;
    const peer = await serve((_request, response) => response.end(Buffer.alloc(size)));
    const stream = await (await startPlane({ fetch_idle_timeout_ms: 40 })).open(to(peer.origin));
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect((await buffer(stream)).length).toBe(size);
  });
});

describe("redirects", () => {
  it("are followed from host to host, up to the limit", async () => {
    const last = await serve((_request, response) => response.end("there"));
    const first = await serve((request, response) => {
      const left = Number.parseInt(request.url?.slice(1) ?? "", 10);
      const location = left === 0 ? `${last.origin}/end` : `/${left - 1}`;
      response.writeHead([301, 302, 303, 307, 308][left] ?? 302, { location }).end();
    });
    const plane = await startPlane();
    expect(await read(plane, `${first.origin}/4`)).toBe("there");
    await expect(read(plane, `${first.origin}/5?signature=secret`)).rejects.toMatchObject({
      code: "unreadable_reference",
      message: `Cannot read ${first.origin}/5: expected at most 5 redirects, found more, the last one to ${last.origin}/end; name the final URL, or raise the option \`max_redirects\``,
    });
  });

  it("that lead in a circle end", async () => {
    const peer = await serve((request, response) => response.writeHead(302, { location: request.url }).end());
    await expect(read(await startPlane({ max_redirects: 2 }), peer.origin)).rejects.toThrow(
      "at most 2 redirects",
    );
    expect(peer.requests.length).toBe(3);
  });

  it("to a metadata address are refused without a connection", async () => {
    const peer = await serve((_request, response) =>
      response.writeHead(302, { location: "http://169.254.169.254/latest" }).end(),
    );
    // The time limit would be met by a connection attempt; a refusal takes none of it.
    await expect(read(await startPlane(), peer.origin)).rejects.toMatchObject({
      code: "unreadable_reference",
      message: "Refused to call 169.254.169.254: link-local and metadata addresses are never called",
    });
  });
});

describe("hosts", () => {
  it.each([
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.254.169.254.",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[fe80::1]",
    "0",
  ])("refuses %s", async (host) => {
    await expect(read(await startPlane(), `http://${host}/`)).rejects.toMatchObject({
      code: "unreadable_reference",
      message: expect.stringMatching(/^Refused to call .*never called$/),
    });
  });

  it("refuses hosts that are not listed, by the address a name leads to", async () => {
    const peer = await serve((_request, response) => response.end("x"));
    const plane = await startPlane({ hosts: { allow_hosts: ["10.0.0.0/8"] } });
    for (const host of ["127.0.0.1", "localhost"]) {
      await expect(read(plane, `http://${host}:${peer.port}/`)).rejects.toThrow(
        "only these hosts are: 10.0.0.0/8",
      );
    }
    expect(peer.connections()).toBe(0);
  });
});

describe("keys", () => {
  it("go to the listed peer alone, and to nobody it redirects to (R-SIGN-04)", async () => {
    const other = await serve((_request, response) => response.end("x"));
    const peer = await serve((request, response) => {
      if (request.url === "/away") return response.writeHead(302, { location: `${other.origin}/x` }).end();
      if (request.url === "/here") return response.writeHead(302, { location: "/x" }).end();
      response.end("x");
    });
    const plane = await startPlane({
      peer_keys: { [`127.0.0.1:${peer.port}`]: "peer-key", [`127.0.0.1:${other.port}`]: "other-key" },
    });
    for (const path of ["/away", "/here"]) await read(plane, peer.origin + path);
    expect(peer.requests.map(({ headers }) => headers.authorization)).toEqual(
      Array(3).fill("Bearer peer-key"),
    );
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it("listed by host go to all its ports", async () => {
    const peer = await serve((_request, response) => response.end("x"));
    await read(await startPlane({ peer_keys: { "127.0.0.1": "key" } }), peer.origin);
    await read(await startPlane({ peer_keys: { "127.0.0.2": "key" } }), peer.origin);
    expect(peer.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer key", undefined]);
  });

  it("that cannot be sent are refused at once, unprinted", async () => {
    const data_dir = await tempFolder();
    expect(() => createFilePlane({ data_dir, peer_keys: { loader: "se cret" } })).toThrow(
      'Expected the key of peer "loader" to be printable ASCII without spaces',
    );
    expect(() => createFilePlane({ data_dir, peer_keys: { "http://loader": "key" } })).toThrow(TypeError);
  });
});

describe("giving up", () => {
  it("before, while waiting for the head, and in the middle of the body", async () => {
    const peer = await serve((request, response) => {
      if (request.url === "/body") response.writeHead(200).write("x");
    });
    const plane = await startPlane();
    await expect(plane.open(to(peer.origin), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "aborted",
    });
    expect(peer.connections()).toBe(0);

    const waiting = new AbortController();
    const head = plane.open(to(peer.origin), { signal: waiting.signal });
    await until("the request", () => peer.requests.length === 1);
    waiting.abort();
    await expect(head).rejects.toMatchObject({ code: "aborted" });

    const reading = new AbortController();
    const stream = await plane.open(to(`${peer.origin}/body`), { signal: reading.signal });
    const body = buffer(stream);
    reading.abort();
    await expect(body).rejects.toMatchObject({ code: "aborted" });
    await until("the connections to close", () => peer.open() === 0);
  });

  it("closes the connection of a reader that stops", async () => {
    const peer = await serve((_request, response) => response.write(Buffer.alloc(2 ** 20)));
    const stream = await (await startPlane()).open(to(peer.origin));
    for await (const _chunk of stream) break;
    await until("the connection to close", () => peer.open() === 0);
  });
});
