import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { buffer } from "node:stream/consumers";
import type { DataReference } from "@aieffect/control-interface";
import { tempFolder, until } from "@aieffect/test-support";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFilePlane, type FilePlane, type FilePlaneOptions, type RetryNotice } from "../index.ts";
import { choosePart } from "../serve/choose-part.ts";

const checksumOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const to = (uri: string, extra: Partial<DataReference> = {}): DataReference => ({
  protocol: "http",
  uri,
  format: "binary",
  ...extra,
});

async function startPlane(options: Partial<FilePlaneOptions> = {}): Promise<FilePlane> {
  const plane = createFilePlane({ data_dir: await tempFolder(), fetch_backoff_ms: 1, ...options });
  onTestFinished(() => plane.close());
  return plane;
}

async function serve(listener: RequestListener, port = 0) {
  const requests: { url: string; headers: IncomingHttpHeaders; at: number }[] = [];
  let open = 0;
  const server = createServer((request, response) => {
    requests.push({ url: request.url ?? "", headers: request.headers, at: performance.now() });
    listener(request, response);
  });
  server.on("connection", (socket) => {
    open++;
    socket.on("close", () => open--);
  });
  server.listen(port, "127.0.0.1");
  await until("the server", () => server.listening);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port: bound } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${bound}`, port: bound, server, requests, open: () => open };
}

/** What a peer does with one request. */
interface Behaviour {
  payload: Buffer;
  /** Has byte ranges. @default false */
  ranges?: boolean | undefined;
  etag?: string | undefined;
  /** Sends no Content-Length. @default false */
  chunked?: boolean | undefined;
  /** Cuts the connection after so many bytes of the body; "head": before a word was said. */
  cut?: number | "head" | undefined;
}

/** A peer that answers as it is told, request by request; the last behaviour stays. */
function peerOf(...behaviours: Behaviour[]) {
  let count = 0;
  const listener: RequestListener = (request, response) => {
    const behaviour = behaviours[Math.min(count++, behaviours.length - 1)] as Behaviour;
    const { payload, ranges = false, etag, chunked = false, cut } = behaviour;
    if (cut === "head") return request.socket.destroy();
    if (etag !== undefined) response.setHeader("etag", etag);
    if (ranges) response.setHeader("accept-ranges", "bytes");
    const { length } = payload;
    const part = ranges ? choosePart(request.headers, length, etag ?? "") : "whole";
    if (part === "unsatisfiable") {
      return response.writeHead(416, { "content-range": `bytes */${length}` }).end();
    }
    const { start, end } = typeof part === "string" ? { start: 0, end: length } : part;
    if (part !== "whole") response.setHeader("content-range", `bytes ${start}-${end - 1}/${length}`);
    if (!chunked) response.setHeader("content-length", end - start);
    response.writeHead(part === "whole" ? 200 : 206);
    const body = payload.subarray(start, end);
    if (cut === undefined) return response.end(body);
    response.flushHeaders();
    response.write(body.subarray(0, cut), () => response.socket?.destroy());
  };
  return listener;
}

/** A payload, and a reference's answer to being cut once in its middle. */
const payload = randomBytes(300_000);
const whole: Behaviour = { payload };
const cutOnce = (more: Partial<Behaviour>): Behaviour => ({ ...whole, cut: 100_000, ...more });

describe("a fetch that is cut", () => {
  it("gives the same bytes, wherever and however often, whatever the peer can do", async () => {
    let current: RequestListener = () => {};
    const peer = await serve((request, response) => current(request, response));
    const plane = await startPlane();
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          size: fc.oneof(fc.nat(2000), fc.nat(400_000)),
          cuts: fc.array(fc.oneof(fc.nat(200_000), fc.constant("head" as const)), { maxLength: 4 }),
          ranges: fc.boolean(),
          etag: fc.constantFrom(undefined, '"strong"', 'W/"weak"'),
          chunked: fc.boolean(),
          hasChecksum: fc.boolean(),
        }),
        async ({ size, cuts, ranges, etag, chunked, hasChecksum }) => {
          const bytes = randomBytes(size);
          const base = { payload: bytes, ranges, etag, chunked };
          current = peerOf(...cuts.map((cut) => ({ ...base, cut })), base);
          const before = peer.requests.length;
          const reference = to(peer.origin, hasChecksum ? { checksum: checksumOf(bytes) } : {});
          const read = await buffer(await plane.open(reference));
          expect(read.equals(bytes)).toBe(true);
          expect(peer.requests.length - before).toBeLessThanOrEqual(cuts.length + 1);
        },
      ),
      { numRuns: 80 },
    );
  });

  it("asks for what is missing, of the same bytes", async () => {
    const peer = await serve(
      peerOf(cutOnce({ ranges: true, etag: '"a"' }), { ...whole, ranges: true, etag: '"a"' }),
    );
    const notices: RetryNotice[] = [];
    const stream = await (await startPlane()).open(to(peer.origin), {
      onRetry: (notice) => notices.push(notice),
    });
    expect((await buffer(stream)).equals(payload)).toBe(true);
    const [notice] = notices as [RetryNotice];
    expect(peer.requests[1]?.headers).toMatchObject({ range: `bytes=${notice.offset}-`, "if-range": '"a"' });
    expect(notices).toEqual([
      {
        attempt: 1,
        offset: expect.any(Number),
        reason: `Cannot read ${peer.origin}/: expected 300000 bytes, found the connection cut after ${notice.offset} bytes; try again, or look into the peer's log`,
      },
    ]);
  });

  it.each<[string, Partial<Behaviour>, Partial<DataReference>]>([
    ["has no ranges", { etag: '"a"' }, {}],
    ["has ranges and no strong ETag", { ranges: true, etag: 'W/"a"' }, {}],
  ])("asks for the whole where the peer %s", async (_name, more, extra) => {
    const peer = await serve(peerOf(cutOnce(more), { ...whole, ...more }));
    const read = await buffer(await (await startPlane()).open(to(peer.origin, extra)));
    expect(read.equals(payload)).toBe(true);
    expect(peer.requests.map(({ headers }) => headers.range)).toEqual([undefined, undefined]);
  });

  it("asks for what is missing without an ETag where a checksum tells the end", async () => {
    const peer = await serve(peerOf(cutOnce({ ranges: true }), { ...whole, ranges: true }));
    const stream = await (await startPlane()).open(to(peer.origin, { checksum: checksumOf(payload) }));
    expect((await buffer(stream)).equals(payload)).toBe(true);
    expect(peer.requests[1]?.headers.range).toMatch(/^bytes=\d+-$/);
    expect(peer.requests[1]?.headers["if-range"]).toBeUndefined();
  });

  it("is at its end when only the end of the last chunk was lost", async () => {
    const all = { ...whole, ranges: true, etag: '"a"', chunked: true };
    const peer = await serve(peerOf({ ...all, cut: payload.length }, all));
    const read = await buffer(await (await startPlane()).open(to(peer.origin)));
    expect(read.equals(payload)).toBe(true);
  });

  it("goes on after a peer that stood still", async () => {
    const good = peerOf({ ...whole, ranges: true, etag: '"a"' });
    const peer = await serve((request, response) => {
      if (peer.requests.length > 1) return good(request, response);
      response.writeHead(200, { etag: '"a"', "accept-ranges": "bytes", "content-length": payload.length });
      response.write(payload.subarray(0, 1000));
    });
    const plane = await startPlane({ fetch_idle_timeout_ms: 50 });
    expect((await buffer(await plane.open(to(peer.origin)))).equals(payload)).toBe(true);
    expect(peer.requests[1]?.headers.range).toBe("bytes=1000-");
  });

  it("is given up when it is not whole after fetch_timeout_ms, however it goes on", async () => {
    const dripping = await serve((_request, response) => {
      response.writeHead(200, { "content-length": 1_000_000 });
      const timer = setInterval(() => response.write("x"), 5);
      response.on("close", () => clearInterval(timer));
    });
    const busy = await serve((_request, response) => void response.writeHead(503).end());
    const silent = await serve(() => {});
    const options = { fetch_retries: 1e6, fetch_backoff_ms: 1, fetch_idle_timeout_ms: 60_000 };
    const plane = await startPlane({ ...options, fetch_timeout_ms: 150 });
    const folder = await tempFolder();
    for (const [{ origin, open }, found] of [
      [dripping, "[1-9]\\d*"],
      [busy, "0"],
      [silent, "0"],
    ] as const) {
      const reading = plane.localPath(to(`${origin}/data.csv`), folder);
      await expect(reading).rejects.toMatchObject({
        code: "unreadable_reference",
        message: expect.stringMatching(
          `^Cannot read ${origin}/data.csv: expected all of it within 0.15 s, found ${found} bytes by then; look into the peer, or raise the option \`fetch_timeout_ms\`$`,
        ),
      });
      await until("the connection to be closed", () => open() === 0 || found === "0");
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it("may take longer than fetch_timeout_ms where it is the reader who pauses", async () => {
    const peer = await serve(peerOf({ payload: randomBytes(2 ** 20) }));
    const plane = await startPlane({ fetch_timeout_ms: 700 });
    const stream = await plane.open(to(peer.origin));
    const began = performance.now();
    await until("the limit to be over", () => performance.now() - began > 750);
    let size = 0;
    for await (const chunk of stream) {
      if (size === 0) await until("the limit to be over again", () => performance.now() - began > 1600);
      size += chunk.length;
    }
    expect(size).toBe(2 ** 20);
  });

  it.each([0, 2 ** 31, 1.5, Number.NaN])("is not given the limit %s", async (fetch_timeout_ms) => {
    await expect(startPlane({ fetch_timeout_ms })).rejects.toThrow(
      `Expected fetch_timeout_ms to be an integer from 1 to 2147483647 (24 days), or Infinity for no limit, got ${fetch_timeout_ms}`,
    );
    await expect(startPlane({ fetch_idle_timeout_ms: fetch_timeout_ms })).rejects.toThrow("(24 days), got");
    await expect(startPlane({ fetch_timeout_ms: Number.POSITIVE_INFINITY })).resolves.toBeDefined();
  });

  it("is given up when all its attempts together brought nothing for patience_ms", async () => {
    let asked = 0;
    // Whoever asks is heard and never answered.
    const peer = createServer(() => asked++);
    peer.listen(0, "127.0.0.1");
    await once(peer, "listening");
    onTestFinished(() => void peer.close().closeAllConnections());
    const plane = await startPlane({ fetch_retries: 1000, fetch_idle_timeout_ms: 40 });
    const { port } = peer.address() as AddressInfo;
    const uri = `http://127.0.0.1:${port}/data.csv`;
    await expect(plane.open({ protocol: "http", uri, format: "csv" }, { patience_ms: 200 })).rejects.toThrow(
      /no answer within 0\.04 s.* \(tried \d+ times\)/,
    );
    expect(asked).toBeGreaterThan(1);
    const impatient = await startPlane({ fetch_retries: 1000 });
    await expect(
      impatient.open({ protocol: "http", uri, format: "csv" }, { patience_ms: 50 }),
    ).rejects.toThrow("no answer within 0.05 s");
  });

  it("is given up after fetch_retries without much progress", async () => {
    const peer = await serve(peerOf(cutOnce({ cut: 10, ranges: true, etag: '"a"' })));
    const plane = await startPlane({ fetch_retries: 2 });
    await expect(plane.open(to(peer.origin)).then(buffer)).rejects.toMatchObject({
      code: "unreadable_reference",
      message: `Cannot read ${peer.origin}/: expected 300000 bytes, found the connection cut after 30 bytes; try again, or look into the peer's log (tried 3 times)`,
    });
    expect(peer.requests.length).toBe(3);
  });

  it("is never given up while it gets on", async () => {
    const large = { payload: randomBytes(5 * 2 ** 20), ranges: true, etag: '"a"' };
    const peer = await serve(peerOf(...Array(4).fill({ ...large, cut: 1.2 * 2 ** 20 }), large));
    const stream = await (await startPlane({ fetch_retries: 1 })).open(to(peer.origin));
    expect((await buffer(stream)).equals(large.payload)).toBe(true);
  });

  it("waits for a reader that pauses, and takes no more than fits into buffers meanwhile", async () => {
    const [size, cut, piece] = [64 * 2 ** 20, 40 * 2 ** 20, Buffer.alloc(2 ** 16)];
    let sent = 0;
    const peer = await serve((request, response) => {
      const start = Number(/\d+/.exec(request.headers.range ?? "0"));
      sent = start;
      response.setHeader("etag", '"a"').setHeader("accept-ranges", "bytes");
      response.setHeader("content-range", `bytes ${start}-${size - 1}/${size}`);
      response.writeHead(start === 0 ? 200 : 206, { "content-length": size - start });
      const more = () => {
        while (sent < size) {
          if (start === 0 && sent >= cut) return response.socket?.destroy();
          const next = piece.subarray(0, size - sent);
          sent += next.length;
          if (!response.write(next)) return;
        }
        response.end();
      };
      response.on("drain", more);
      more();
    });
    const stream = await (await startPlane()).open(to(peer.origin));
    let read = 0;
    let ahead = 0;
    for await (const chunk of stream) {
      read += chunk.length;
      // Time enough for everything to come, if nothing held it back.
      if (read < 2 ** 20) await new Promise((resolve) => setTimeout(resolve, 10));
      ahead = Math.max(ahead, sent - read);
    }
    expect(read).toBe(size);
    expect(peer.requests.length).toBe(2);
    // What the kernel keeps for a connection, on both sides of it.
    expect(ahead).toBeLessThan(20 * 2 ** 20);
  });
});

describe("a payload that is another when the fetch goes on", () => {
  const other = randomBytes(payload.length);
  const changed = "the payload changed meanwhile; read it again from its beginning";

  it.each<[string, Behaviour, Behaviour, string]>([
    [
      "another ETag",
      cutOnce({ ranges: true, etag: '"a"' }),
      { payload: other, ranges: true, etag: '"b"' },
      'expected ETag "a" when it went on after N bytes, found "b"',
    ],
    [
      "no ETag any more",
      cutOnce({ etag: '"a"' }),
      { payload: other },
      'expected ETag "a" when it went on after N bytes, found none',
    ],
    [
      "other bytes",
      cutOnce({}),
      { payload: other },
      "expected the same bytes as before when it went on after N bytes, found others",
    ],
    [
      "another size",
      cutOnce({ ranges: true, etag: '"a"' }),
      { payload: payload.subarray(1), ranges: true, etag: '"a"' },
      "expected 300000 bytes when it went on after N bytes, found 299999",
    ],
    [
      "fewer bytes than there were",
      cutOnce({ chunked: true }),
      { payload: payload.subarray(0, 500), chunked: true },
      "expected at least N bytes when it went on after N bytes, found 500",
    ],
  ])("is noticed by %s", async (_name, first, second, expected) => {
    const peer = await serve(peerOf(first, second));
    const message = await plainMessage((await startPlane()).open(to(peer.origin)));
    expect(message.replace(/\b1?\d{5}\b(?= bytes)(?<!300000)/g, "N")).toBe(
      `Cannot read ${peer.origin}/: ${expected}: ${changed}`,
    );
    expect(peer.requests.length).toBe(2);
  });

  it("is noticed in a range with another ETag, from a peer that does not know If-Range", async () => {
    const ranged = peerOf(cutOnce({ ranges: true, etag: '"a"' }), {
      payload: other,
      ranges: true,
      etag: '"b"',
    });
    const peer = await serve((request, response) => {
      delete request.headers["if-range"];
      ranged(request, response);
    });
    expect(await plainMessage((await startPlane()).open(to(peer.origin)))).toContain('found "b"');
  });

  it("is fetched whole where the bytes are kept back until they are verified", async () => {
    const peer = await serve(peerOf(cutOnce({ etag: '"a"' }), { payload: other, etag: '"b"' }));
    const plane = await startPlane();
    const path = await plane.localPath(to(peer.origin, { checksum: checksumOf(other) }), await tempFolder());
    expect((await readFile(path)).equals(other)).toBe(true);
  });

  async function plainMessage(opened: Promise<NodeJS.ReadableStream>): Promise<string> {
    return opened.then(buffer).then(
      () => "no error",
      (error: Error) => error.message,
    );
  }
});

describe("a range that was not asked for", () => {
  it("is not taken; the whole is asked for instead", async () => {
    const good = peerOf(cutOnce({ ranges: true, etag: '"a"' }), { ...whole, etag: '"a"' });
    const peer = await serve((request, response) => {
      if (peer.requests.length !== 2) return good(request, response);
      response.writeHead(206, { etag: '"a"', "content-range": "bytes 0-299999/300000" }).end(payload);
    });
    const stream = await (await startPlane()).open(to(peer.origin));
    expect((await buffer(stream)).equals(payload)).toBe(true);
    expect(peer.requests.map(({ headers }) => headers.range !== undefined)).toEqual([false, true, false]);
  });

  it("is refused when it has more bytes than it announced", async () => {
    const first = peerOf(cutOnce({ ranges: true, etag: '"a"' }));
    const peer = await serve((request, response) => {
      if (peer.requests.length === 1) return first(request, response);
      const start = Number(/\d+/.exec(request.headers.range ?? ""));
      response.writeHead(206, { etag: '"a"', "content-range": `bytes ${start}-299999/300000` });
      response.end(Buffer.concat([payload.subarray(start), Buffer.from("more")]));
    });
    await expect((await startPlane()).open(to(peer.origin)).then(buffer)).rejects.toMatchObject({
      code: "unreadable_reference",
      message: `Cannot read ${peer.origin}/: expected 300000 bytes, as its peer announced, found more; look into the peer, or the proxy before it`,
    });
  });

  it("is not taken for whole when a shorter payload is there by now, that has no more", async () => {
    const peer = await serve((request, response) => {
      const { range } = request.headers;
      if (range === undefined) return peerOf(cutOnce({ ranges: true, etag: '"a"' }))(request, response);
      const [offset] = /\d+/.exec(range) ?? [];
      response.writeHead(416, { "content-range": `bytes */${offset}` }).end();
    });
    const stream = await (await startPlane()).open(to(peer.origin));
    await expect(buffer(stream)).rejects.toThrow("expected 300000 bytes when it went on after");
  });

  it("is completed when it has fewer", async () => {
    const peer = await serve((request, response) => {
      const start = Number(/\d+/.exec(request.headers.range ?? "0"));
      const end = Math.min(start + 100_000, payload.length);
      response.setHeader("etag", '"a"').setHeader("accept-ranges", "bytes");
      if (request.headers.range === undefined) {
        response.writeHead(200, { "content-length": payload.length });
        return response.write(payload.subarray(0, end), () => response.socket?.destroy());
      }
      response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${payload.length}` });
      response.end(payload.subarray(start, end));
    });
    const stream = await (await startPlane()).open(to(peer.origin));
    expect((await buffer(stream)).equals(payload)).toBe(true);
  });
});

describe("a peer that is not well for the moment", () => {
  it.each([408, 425, 429, 500, 502, 503, 504])("is asked again after %i", async (status) => {
    const peer = await serve((_request, response) =>
      peer.requests.length < 3 ? response.writeHead(status).end() : response.end("good"),
    );
    expect(String(await buffer(await (await startPlane()).open(to(peer.origin))))).toBe("good");
  });

  it.each([400, 401, 403, 404, 410, 413, 416, 501])("is not asked again after %i", async (status) => {
    const peer = await serve((_request, response) => response.writeHead(status).end());
    await expect((await startPlane()).open(to(peer.origin))).rejects.toMatchObject({ peer_status: status });
    expect(peer.requests.length).toBe(1);
  });

  it("is given the time that it asks for", async () => {
    const peer = await serve((_request, response) => {
      if (peer.requests.length > 1) return response.end("good");
      response.writeHead(503, { "retry-after": "1" }).end('{"detail":"starting"}');
    });
    const reasons: string[] = [];
    const options = { onRetry: ({ reason }: RetryNotice) => reasons.push(reason) };
    await buffer(await (await startPlane()).open(to(peer.origin), options));
    const [first, second] = peer.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(900);
    expect(reasons).toEqual([`Cannot read ${peer.origin}/: expected HTTP 200, found 503 (starting)`]);
  });

  it("is waited for until it is up", async () => {
    const gone = await serve(() => {});
    gone.server.close();
    await until("the port to be free", () => !gone.server.listening);
    const plane = await startPlane({ fetch_backoff_ms: 20, fetch_retries: 10 });
    let attempts = 0;
    const opened = plane.open(to(gone.origin), { onRetry: () => attempts++ });
    await until("two attempts", () => attempts === 2);
    await serve((_request, response) => response.end("good"), gone.port);
    expect(String(await buffer(await opened))).toBe("good");
  });

  it("may be down and up again in the middle of a payload", async () => {
    const first = await serve(peerOf(cutOnce({ ranges: true, etag: '"a"' })));
    const plane = await startPlane({ fetch_backoff_ms: 20, fetch_retries: 10 });
    let isDown = false;
    const stream = await plane.open(to(first.origin), {
      onRetry({ reason }) {
        first.server.close();
        isDown ||= reason.includes("ECONNREFUSED");
      },
    });
    const read = buffer(stream);
    await until("the peer to be down", () => isDown);
    await serve(peerOf({ ...whole, ranges: true, etag: '"a"' }), first.port);
    expect((await read).equals(payload)).toBe(true);
  });

  it("that does not speak TLS is not asked again", async () => {
    let connections = 0;
    const server = createTcpServer((socket) => {
      connections++;
      socket.on("error", () => {}).once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await until("the server", () => server.listening);
    const { port } = server.address() as AddressInfo;
    const uri = `https://127.0.0.1:${port}/`;
    await expect((await startPlane()).open({ ...to(uri), protocol: "https" })).rejects.toThrow(/EPROTO|SSL/);
    expect(connections).toBe(1);
  });
});

describe("a payload that came damaged", () => {
  const damaged = Buffer.from(payload);
  damaged[150_000] = (damaged[150_000] as number) ^ 1;
  const checksum = checksumOf(payload);
  const ways: [string, (plane: FilePlane, reference: DataReference, folder: string) => Promise<Buffer>][] = [
    ["localPath", async (plane, reference, folder) => readFile(await plane.localPath(reference, folder))],
    ["openVerified", async (plane, reference, folder) => buffer(await plane.openVerified(reference, folder))],
    ["readWhole", (plane, reference) => plane.readWhole(reference, buffer)],
  ];

  it.each(ways)("is fetched again by %s", async (_name, read) => {
    for (const bad of [damaged, payload.subarray(1), Buffer.concat([payload, payload])]) {
      const peer = await serve(peerOf({ payload: bad }, whole));
      const reference = to(peer.origin, { checksum, size_bytes: payload.length });
      const folder = await tempFolder();
      expect((await read(await startPlane(), reference, folder)).equals(payload)).toBe(true);
      expect(peer.requests.length).toBe(2);
    }
  });

  it.each(ways)("is given up by %s after fetch_retries", async (_name, read) => {
    const peer = await serve(peerOf({ payload: damaged }));
    const folder = await tempFolder();
    await expect(read(await startPlane(), to(peer.origin, { checksum }), folder)).rejects.toMatchObject({
      code: "unreadable_reference",
      message: `Expected ${peer.origin}/ to have checksum ${checksum}, found ${checksumOf(damaged)}: it is damaged or was changed after it was published; produce it again (tried 5 times)`,
    });
    expect(peer.requests.length).toBe(5);
    expect(await readdir(folder)).toEqual([]);
  });

  it("errors at the end of a plain stream, which says what to use instead", async () => {
    const peer = await serve(peerOf({ payload: damaged }, whole));
    await expect((await startPlane()).open(to(peer.origin, { checksum })).then(buffer)).rejects.toMatchObject(
      {
        message: expect.stringMatching(
          /; use stream\(\{ verified: true \}\) or path\(\) .* to have it fetched again$/,
        ),
      },
    );
    expect(peer.requests.length).toBe(1);
  });

  it("is not read again where it lies on this machine, or in the reference", async () => {
    const notices: RetryNotice[] = [];
    const options = { onRetry: (notice: RetryNotice) => notices.push(notice) };
    const folder = await tempFolder();
    const inline: DataReference = { protocol: "inline", uri: "AAAA", format: "binary", checksum };
    await expect((await startPlane()).localPath(inline, folder, options)).rejects.toThrow("produce it again");
    expect(notices).toEqual([]);
  });
});

describe("openVerified", () => {
  it("removes its copy when the stream closes, and gives inline payloads and files as well", async () => {
    const plane = await startPlane();
    const folder = await tempFolder();
    const peer = await serve(peerOf(whole));
    const stored = await plane.store(payload, { folder, name: "a.bin", format: "binary" });
    const extra = { checksum: checksumOf(payload), size_bytes: payload.length };
    for (const reference of [
      to(peer.origin, extra),
      { protocol: "inline", uri: payload.toString("base64"), format: "binary", ...extra } as const,
      { protocol: "file", uri: stored.path, format: "binary", ...extra } as const,
    ]) {
      const own = await startPlane({ roots: [folder] });
      const stream = await own.openVerified(reference, folder);
      expect((await readdir(folder)).length).toBe(reference.protocol === "file" ? 1 : 2);
      expect((await buffer(stream)).equals(payload)).toBe(true);
      await until("the copy to be removed", async () => (await readdir(folder)).length === 1);
    }
  });
});

describe("every attempt", () => {
  it("is checked by the host policy, also behind a redirect", async () => {
    const first = peerOf(cutOnce({ ranges: true, etag: '"a"' }));
    const peer = await serve((request, response) => {
      if (peer.requests.length === 1) return first(request, response);
      response.writeHead(302, { location: "http://169.254.169.254/latest" }).end();
    });
    await expect((await startPlane()).open(to(peer.origin)).then(buffer)).rejects.toMatchObject({
      code: "unreadable_reference",
      message: "Refused to call 169.254.169.254: link-local and metadata addresses are never called",
    });
    expect(peer.requests.length).toBe(2);
  });

  it("begins at the original URL, and sends the key to its peer alone (R-SIGN-04)", async () => {
    const payloads = await serve(
      peerOf(cutOnce({ ranges: true, etag: '"a"' }), { ...whole, ranges: true, etag: '"a"' }),
    );
    const peer = await serve((_request, response) =>
      response.writeHead(307, { location: `${payloads.origin}/there` }).end(),
    );
    const plane = await startPlane({ peer_keys: { [`127.0.0.1:${peer.port}`]: "key" } });
    expect((await buffer(await plane.open(to(peer.origin)))).equals(payload)).toBe(true);
    expect(peer.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer key", "Bearer key"]);
    expect(payloads.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });
});

describe("giving up while it waits for the next attempt", () => {
  const failing: [string, RequestListener][] = [
    ["before the first byte", (_request, response) => response.writeHead(503).end()],
    ["in the middle of the payload", peerOf(cutOnce({ ranges: true, etag: '"a"' }))],
  ];
  const read = (plane: FilePlane, uri: string, signal: AbortSignal | undefined, onRetry: () => void) =>
    plane.open(to(uri), { signal, onRetry }).then(buffer);

  it.each(failing)("ends it at once, %s", async (_name, listener) => {
    const peer = await serve(listener);
    const controller = new AbortController();
    const plane = await startPlane({ fetch_backoff_ms: 60_000 });
    const reading = read(plane, peer.origin, controller.signal, () => setImmediate(() => controller.abort()));
    await expect(reading).rejects.toMatchObject({ code: "aborted" });
    expect(peer.requests.length).toBe(1);
  });

  it.each(failing)("closing the plane ends it too, %s", async (_name, listener) => {
    const peer = await serve(listener);
    const plane = await startPlane({ fetch_backoff_ms: 60_000 });
    const reading = read(plane, peer.origin, undefined, () => setImmediate(() => plane.close()));
    await expect(reading).rejects.toMatchObject({
      message: "The data plane was closed while it was reading",
    });
  });

  it("closing the plane also ends a stream that nobody reads", async () => {
    const large = { payload: Buffer.alloc(32 * 2 ** 20) };
    const peer = await serve(peerOf(whole, { ...whole, cut: "head" }, large));
    const plane = await startPlane();
    await buffer(await plane.open(to(peer.origin)));
    // Over a connection that replaces a kept one, which was closed.
    const stream = await plane.open(to(peer.origin));
    plane.close();
    await until("the error", () => stream.errored);
    await until("the connection to close", () => peer.open() === 0);
  });

  it("closes the connection of a reader that stops after it went on", async () => {
    const large = { payload: Buffer.alloc(32 * 2 ** 20), ranges: true, etag: '"a"' };
    const peer = await serve(peerOf({ ...large, cut: 100_000 }, large));
    const stream = await (await startPlane()).open(to(peer.origin));
    for await (const _chunk of stream) if (peer.requests.length === 2) break;
    await until("the connections to close", () => peer.open() === 0);
  });

  it("ends a copy that is to be fetched again", async () => {
    const peer = await serve(peerOf(whole));
    const controller = new AbortController();
    const plane = await startPlane({ fetch_backoff_ms: 60_000 });
    const folder = await tempFolder();
    const copying = plane.localPath(to(peer.origin, { checksum: "sha256:00" }), folder, {
      signal: controller.signal,
      onRetry: () => setImmediate(() => controller.abort()),
    });
    await expect(copying).rejects.toMatchObject({ code: "aborted" });
    expect(await readdir(folder)).toEqual([]);
  });
});
