import { readdir, readlink, truncate, utimes, writeFile } from "node:fs/promises";
import { Agent, createServer, type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type ControlError, formats, mediaTypeOf } from "@aieffect/control-interface";
import { tempFolder, until } from "@aieffect/test-support";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { type SendOptions, type SentPayload, sendPayload } from "../index.ts";

/** A server that sends this payload, and what became of each sending. */
async function serve(payload: SentPayload, options: SendOptions = {}) {
  const outcomes: (ControlError | undefined)[] = [];
  const server = createServer((request, response) => {
    sendPayload(request, response, payload, options).then(
      () => outcomes.push(undefined),
      (error: ControlError) => {
        outcomes.push(error);
        if (!response.headersSent) response.writeHead(error.status).end();
      },
    );
  }).listen(0, "127.0.0.1");
  await until("the server", () => server.listening);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, outcomes };
}

function ask(port: number, method = "GET", headers: OutgoingHttpHeaders = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", method, headers }, resolve).on("error", reject).end();
  });
}

async function openFiles(): Promise<string[]> {
  const descriptors = await readdir("/proc/self/fd").catch(() => []);
  return Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
}

describe("sendPayload", () => {
  it.each(formats)("sends a file of %s with type and length", async (format) => {
    const path = join(await tempFolder(), "a");
    await writeFile(path, "payload");
    const { port } = await serve({ path, format, size_bytes: 7 });
    const response = await ask(port);
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      "content-type": mediaTypeOf(format),
      "content-length": "7",
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
    });
    expect(String(await buffer(response))).toBe("payload");
    await until("the file to be closed", async () => !(await openFiles()).includes(path));
  });

  it("answers HEAD with the head alone", async () => {
    const path = join(await tempFolder(), "a");
    await writeFile(path, "payload");
    for (const payload of [
      { path, format: "csv" },
      { bytes: Buffer.from("payload"), format: "csv" },
    ] as const) {
      const { port, outcomes } = await serve(payload);
      const response = await ask(port, "HEAD");
      expect(response.headers).toMatchObject({ "content-type": "text/csv", "content-length": "7" });
      expect((await buffer(response)).length).toBe(0);
      await until("the sending to end", () => outcomes.length === 1);
      expect(outcomes).toEqual([undefined]);
    }
    expect(await openFiles()).not.toContain(path);
  });

  it("sends bytes, and nothing where there is nothing", async () => {
    const path = join(await tempFolder(), "a");
    await writeFile(path, "");
    for (const [payload, text] of [
      [{ bytes: Buffer.from("payload"), format: "json" }, "payload"],
      [{ bytes: Buffer.alloc(0), format: "json" }, ""],
      [{ path, format: "json" }, ""],
    ] as const) {
      const response = await ask((await serve(payload)).port);
      expect(response.headers["content-length"]).toBe(String(text.length));
      expect(String(await buffer(response))).toBe(text);
    }
  });

  it("sends nothing of a file that is missing or was changed", async () => {
    const path = join(await tempFolder(), "a");
    await writeFile(path, "payload");
    const missing = await serve({ path: `${path}x`, format: "csv" });
    expect((await ask(missing.port)).statusCode).toBe(404);
    expect(missing.outcomes[0]).toMatchObject({ code: "no_payload" });
    const changed = await serve({ path, format: "csv", size_bytes: 6 });
    expect((await ask(changed.port)).statusCode).toBe(500);
    expect(changed.outcomes[0]?.message).toBe(
      `Expected the payload ${path} to be 6 bytes, found 7: it was changed after it was published; run the task again`,
    );
  });

  it("closes the file when the client goes away", async () => {
    const path = join(await tempFolder(), "big");
    await writeFile(path, "");
    await truncate(path, 200 * 2 ** 20);
    const { port, outcomes } = await serve({ path, format: "binary" });
    const response = await ask(port);
    if (process.platform === "linux")
      await until("the file to be open", async () => (await openFiles()).includes(path));
    response.destroy();
    await until("the sending to end", () => outcomes.length === 1);
    expect(outcomes).toEqual([undefined]);
    expect(await openFiles()).not.toContain(path);
  });

  it("cuts the connection when the file shrinks meanwhile", async () => {
    const path = join(await tempFolder(), "big");
    await writeFile(path, "");
    await truncate(path, 200 * 2 ** 20);
    const { port, outcomes } = await serve({ path, format: "binary" });
    const response = await ask(port);
    await truncate(path, 10);
    await expect(buffer(response)).rejects.toThrow("aborted");
    await until("the sending to end", () => outcomes.length === 1);
    expect(outcomes[0]).toMatchObject({
      code: "internal",
      message: expect.stringContaining("it was changed"),
    });
  });
});

describe("byte ranges (R-DATA-05)", () => {
  const text = "0123456789";
  const kinds: [string, (bytes: string) => Promise<SentPayload>][] = [
    ["a file", async (bytes) => ({ path: await toFile(bytes), format: "csv", checksum: "sha256:ab" })],
    ["bytes", async (bytes) => ({ bytes: Buffer.from(bytes), format: "csv" })],
  ];

  describe.each(kinds)("of %s", (_kind, make) => {
    it.each([
      ["bytes=0-0", "0-0", "0"],
      ["bytes=2-4", "2-4", "234"],
      ["bytes=7-", "7-9", "789"],
      ["bytes=7-99", "7-9", "789"],
      ["bytes=-3", "7-9", "789"],
      ["bytes=-99", "0-9", text],
      ["bytes=0-", "0-9", text],
      ["BYTES=9-9", "9-9", "9"],
    ])("answer %s with that part", async (range, told, body) => {
      const { port } = await serve(await make(text));
      for (const method of ["GET", "HEAD"]) {
        const response = await ask(port, method, { range });
        expect(response.statusCode).toBe(206);
        expect(response.headers).toMatchObject({
          "accept-ranges": "bytes",
          "content-range": `bytes ${told}/10`,
          "content-length": String(body.length),
          "content-type": "text/csv",
          etag: expect.stringMatching(/^"[^"]+"$/),
        });
        expect(String(await buffer(response))).toBe(method === "GET" ? body : "");
      }
    });

    it.each(["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-"])(
      "answer %s with 416",
      async (range) => {
        const { port, outcomes } = await serve(await make(text));
        const response = await ask(port, "GET", { range });
        expect(response.statusCode).toBe(416);
        expect(response.headers["content-range"]).toBe("bytes */10");
        expect(outcomes[0]).toMatchObject({
          code: "range_not_satisfiable",
          message: `Expected a range of the payload's 10 bytes, found ${range}; ask for one that begins before its end`,
        });
      },
    );

    it.each([
      "bytes=0-1,4-5",
      "bytes=0-1,99-",
      "items=0-1",
      "items=99-",
      "bytes=5-2",
      "bytes=-",
      "bytes=a-b",
      "0-1",
    ])("answer %s with the whole", async (range) => {
      const response = await ask((await serve(await make(text))).port, "GET", { range });
      expect(response.statusCode).toBe(200);
      expect(response.headers["content-range"]).toBeUndefined();
      expect(String(await buffer(response))).toBe(text);
    });

    it("of nothing are never satisfied", async () => {
      const { port } = await serve(await make(""));
      for (const range of ["bytes=0-", "bytes=-1", "bytes=0-0"]) {
        const response = await ask(port, "GET", { range });
        expect([response.statusCode, response.headers["content-range"]]).toEqual([416, "bytes */0"]);
      }
      expect((await ask(port)).headers).toMatchObject({ "content-length": "0", "accept-ranges": "bytes" });
    });

    it("put together give the payload, whichever they are", async () => {
      const bytes = "abcdefghijklmnopqrstuvwxyz".repeat(40);
      const { port } = await serve(await make(bytes));
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(2 * bytes.length), async (start, length) => {
          const response = await ask(port, "GET", { range: `bytes=${start}-${start + length}` });
          expect(String(await buffer(response))).toBe(bytes.slice(start, start + length + 1));
        }),
        { numRuns: 50 },
      );
    });

    it("and conditions keep to the ETag (R-DATA-06)", async () => {
      const { port } = await serve(await make(text));
      const { etag = "" } = (await ask(port, "HEAD")).headers;
      const status = async (headers: OutgoingHttpHeaders, method = "GET") => {
        const response = await ask(port, method, headers);
        expect(response.headers.etag).toBe(etag);
        return [response.statusCode, String(await buffer(response))];
      };
      const range = "bytes=8-";
      expect(await status({ range, "if-range": etag })).toEqual([206, "89"]);
      for (const other of ['"other"', `W/${etag}`, new Date().toUTCString()]) {
        expect(await status({ range, "if-range": other })).toEqual([200, text]);
      }
      for (const known of [etag, `W/${etag}`, "*", `"other", ${etag}`]) {
        expect(await status({ range, "if-none-match": known })).toEqual([304, ""]);
        expect(await status({ "if-none-match": known }, "HEAD")).toEqual([304, ""]);
      }
      expect(await status({ "if-none-match": '"other"' })).toEqual([200, text]);
    });
  });

  it("have another ETag as soon as the bytes are others", async () => {
    const etagOf = async (payload: SentPayload) =>
      (await ask((await serve(payload)).port, "HEAD")).headers.etag;
    const path = await toFile("one");
    for (const checksum of [undefined, null, "sha256:ab", 'odd:"\n']) {
      const file: SentPayload = { path, format: "csv", checksum };
      const before = await etagOf(file);
      expect(await etagOf(file)).toBe(before);
      await writeFile(path, "two");
      // Whatever the clock's steps, and although the size is the same.
      await utimes(path, new Date(), new Date(Date.now() + Math.random() * 1e9));
      expect(await etagOf(file)).not.toBe(before);
    }
    const first: SentPayload = { path, format: "csv", checksum: "sha256:ab" };
    expect(await etagOf(first)).not.toBe(await etagOf({ ...first, checksum: "sha256:ac" }));
    const bytes = (content: string): SentPayload => ({ bytes: Buffer.from(content), format: "csv" });
    expect(await etagOf(bytes("one"))).not.toBe(await etagOf(bytes("two")));
  });

  it("are read from where they begin, of a file of any size", async () => {
    const path = await toFile("");
    await truncate(path, 2 ** 40);
    const { port } = await serve({ path, format: "binary" });
    const response = await ask(port, "GET", { range: "bytes=-10" });
    expect((await buffer(response)).length).toBe(10);
    expect(response.headers["content-range"]).toBe(`bytes ${2 ** 40 - 10}-${2 ** 40 - 1}/${2 ** 40}`);
  });
});

it("cuts a client that takes nothing for too long, and closes the file", async () => {
  const path = await toFile("");
  await truncate(path, 200 * 2 ** 20);
  const { port, outcomes } = await serve({ path, format: "binary" }, { idle_timeout_ms: 60 });
  const response = await ask(port);
  response.on("error", () => {});
  await until("the sending to end", () => outcomes.length === 1);
  expect(outcomes[0]).toMatchObject({
    code: "request_timeout",
    message:
      "Expected the client to take the payload, found that it took nothing for 0.06 s; the connection is cut",
  });
  expect(await openFiles()).not.toContain(path);
  response.destroy();
});

it("takes no slow client for one that takes nothing, nor a connection that is kept", async () => {
  const size = 24 * 2 ** 20;
  const path = await toFile("");
  await truncate(path, size);
  const { port, outcomes } = await serve({ path, format: "binary" }, { idle_timeout_ms: 600 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const get = () =>
    new Promise<IncomingMessage>(
      (resolve) => void request({ port, host: "127.0.0.1", agent }, resolve).end(),
    );
  let taken = 0;
  for await (const chunk of await get()) {
    taken += chunk.length;
    if (taken % 2 ** 20 < chunk.length) await new Promise((resolve) => setTimeout(resolve, 35));
  }
  expect(taken).toBe(size);
  const response = await get();
  expect((await buffer(response)).length).toBe(size);
  await until("both sendings to end", () => outcomes.length === 2);
  expect(outcomes).toEqual([undefined, undefined]);
});

async function toFile(content: string): Promise<string> {
  const path = join(await tempFolder(), "a");
  await writeFile(path, content);
  return path;
}
