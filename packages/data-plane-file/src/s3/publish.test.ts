import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFile, rm, truncate } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type LookupFunction, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type S3Request, type S3ServerOptions, startS3, tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { resolveOptions } from "../options.ts";
import { store } from "../write/store.ts";
import type { S3ClientOptions } from "./client.ts";
import type { S3Options } from "./resolve-s3.ts";
import { createS3Store } from "./store.ts";

const csv = "time,kW\n00:00,1.5\n00:15,1.75\n";
const ids = ["wf-1", "task_1", "handle"];
const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const refusal = (status: number, code: string) => ({
  status,
  body: `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>Said &amp; done.</Message><StringToSign>x</StringToSign></Error>`,
});

/** What publishes to a store; in parts of 40 bytes, if it is told from which size on. */
async function startPublishing(
  s3: S3Options,
  { above_bytes = 2 ** 20, ...client }: Partial<S3ClientOptions> & { above_bytes?: number } = {},
) {
  const resolved = resolveOptions({ data_dir: await tempFolder(), s3: { bucket: "results", ...s3 } });
  const publishing = createS3Store(resolved.s3, {
    hosts: resolved.hosts,
    idle_timeout_ms: 10_000,
    retries: 3,
    backoff_ms: 1,
    consent_ms: 10_000,
    parts: { above_bytes, part_bytes: 40, parallel: 2 },
    ...client,
  });
  onTestFinished(() => publishing.close());
  const folder = await tempFolder();
  return {
    publishing,
    write: (content: string) => store(content, { folder, name: "a.csv", format: "csv" as const }),
    /** With a plain client, by a presigned URL. */
    async read(key: string) {
      const answer = await fetch(publishing.presign({ bucket: "results", key }));
      return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
    },
  };
}

/** The same with a real store. */
async function startWithStore(
  options: S3ServerOptions = {},
  above_bytes = 2 ** 20,
  more: Partial<S3Options> = {},
  client: Partial<S3ClientOptions> = {},
) {
  const server = await startS3(options);
  const { endpoint, access_key_id, secret_access_key } = server;
  const s3 = { endpoint, access_key_id, secret_access_key, ...more };
  const started = await startPublishing(s3, { above_bytes, ...client });
  const calls = () => server.requests.map(({ method, url }) => `${method} ${url.split("/").at(-1)}`);
  return { ...started, server, calls };
}

/** A server that speaks by the byte. */
async function serveRaw(listener: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    listener(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { endpoint, access_key_id: "key", secret_access_key: "secret" };
}

describe("an object put in one call", () => {
  it.each([
    ["", csv],
    [" and empty", ""],
  ])("arrives as it was stored, with its media type%s", async (_name, content) => {
    const { publishing, write, read, server } = await startWithStore({}, undefined, { prefix: "energy/" });
    const object = await publishing.put(await write(content), { ids });
    expect(object).toEqual({ bucket: "results", key: "energy/wf-1/task_1/handle/a.csv" });
    expect(await read(object.key)).toEqual({ status: 200, type: "text/csv", text: content });
    expect(server.requests[0]?.headers).toMatchObject({
      "x-amz-content-sha256": sha256(content),
      "content-length": String(content.length),
    });
  });

  it("is signed for temporary credentials, another region and the bucket in the host's name", async () => {
    const [session_token, region] = ["a/token+=", "eu-central-1"];
    const server = await startS3({ authority: { session_token, region } });
    const { port } = new URL(server.endpoint);
    const { access_key_id, secret_access_key } = server;
    const credentials = { access_key_id, secret_access_key, session_token, region };
    const lookup: LookupFunction = (_host, { all }, callback) =>
      all ? callback(null, [{ address: "127.0.0.1", family: 4 }]) : callback(null, "127.0.0.1", 4);
    const { publishing, write } = await startPublishing(
      { ...credentials, endpoint: `http://s3.test:${port}`, path_style: false },
      { hosts: { assertUrl: () => {}, lookup } },
    );
    await publishing.put(await write(csv), { ids, name: "output.csv" });
    const host = `results.s3.test:${port}`;
    expect(server.requests).toMatchObject([
      {
        refusal: undefined,
        url: "/wf-1/task_1/handle/output.csv",
        headers: { host, "x-amz-security-token": session_token },
      },
    ]);
    expect(publishing.presign({ bucket: "results", key: "a" })).toMatch(`http://${host}/a?X-Amz-`);
  });

  it("is tried again while the store is busy or the connection is cut", async () => {
    const faults = [refusal(503, "SlowDown"), { cut_after: -1 }, refusal(400, "RequestTimeout")];
    const { publishing, write, read, calls } = await startWithStore({ fault: () => faults.shift() });
    const { key } = await publishing.put(await write(csv), { ids });
    expect(calls()).toEqual(Array(4).fill("PUT a.csv"));
    expect((await read(key)).text).toBe(csv);
  });

  it("is given up after as many retries as there are", async () => {
    const { publishing, write, calls } = await startWithStore({ fault: () => refusal(503, "SlowDown") });
    await expect(publishing.put(await write(csv), { ids })).rejects.toMatchObject({
      code: "peer_refused",
      peer_status: 503,
      message:
        "Could not publish s3://results/wf-1/task_1/handle/a.csv: the store answers SlowDown (HTTP 503): Said & done; try again later (tried 4 times)",
    });
    expect(calls().length).toBe(4);
  });

  it("is put over another connection when the store has closed the kept one", async () => {
    const served: Socket[] = [];
    const s3 = await serveRaw((socket) => {
      socket.once("data", () => {
        served.push(socket);
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        // The second request over this connection is met by a reset.
        socket.once("data", () => socket.resetAndDestroy());
      });
    });
    const { publishing, write } = await startPublishing(s3, { retries: 0 });
    await publishing.put(await write(csv), { ids });
    await publishing.put(await write(csv), { ids });
    expect(served.length).toBe(2);
  });

  it("is not sent at all where the store does not want it", async () => {
    let received = 0;
    const s3 = await serveRaw((socket) => {
      socket.on("data", (chunk) => {
        received += chunk.length;
        const { body } = refusal(403, "SignatureDoesNotMatch");
        if (received < 2000) socket.write(`HTTP/1.1 403 No\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      });
    });
    const { publishing, write } = await startPublishing(s3);
    await expect(publishing.put(await write("x".repeat(300_000)), { ids })).rejects.toThrow(
      "the store answers SignatureDoesNotMatch (HTTP 403): Said & done; check `secret_access_key`",
    );
    expect(received).toBeLessThan(2000);
  });

  it("is sent after a while where the store cannot say that it wants it", async () => {
    let received = 0;
    const s3 = await serveRaw((socket) => {
      socket.on("data", (chunk) => {
        received += chunk.length;
        if (received > 300_000) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      });
    });
    const { publishing, write } = await startPublishing(s3, { consent_ms: 10 });
    await publishing.put(await write("x".repeat(300_000)), { ids });
    expect(received).toBeGreaterThan(300_000);
  });

  it("is not waited for without end", async () => {
    const s3 = await serveRaw(() => {});
    const { publishing, write } = await startPublishing(s3, { idle_timeout_ms: 20, retries: 1 });
    await expect(publishing.put(await write(csv), { ids })).rejects.toMatchObject({
      code: "timeout",
      message:
        "Could not publish s3://results/wf-1/task_1/handle/a.csv: nothing moved for 0.02 s; is the store alive? The option `fetch_idle_timeout_ms` sets the limit (tried 2 times)",
    });
  });

  it("says where nothing listens, and keeps to the host policy", async () => {
    const credentials = { access_key_id: "key", secret_access_key: "secret" };
    const nobody = await startPublishing({ ...credentials, endpoint: "http://127.0.0.1:1" }, { retries: 0 });
    await expect(nobody.publishing.put(await nobody.write(csv), { ids })).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("/a.csv: nothing listens there"),
    });
    const metadata = await startPublishing({ ...credentials, endpoint: "http://169.254.169.254" });
    await expect(metadata.publishing.put(await metadata.write(csv), { ids })).rejects.toThrow(
      "Refused to call 169.254.169.254: link-local and metadata addresses are never called",
    );
  });
});

describe("an object put in parts", () => {
  const long = Array.from({ length: 30 }, (_, hour) => `${hour}:00,${hour * 1.5}\n`).join("");
  const isPart = (call: string) => call.includes("partNumber=");
  const isEnd = ({ method, url }: S3Request) => method === "POST" && url.includes("uploadId=");

  it("arrives as it was stored", async () => {
    const { publishing, write, read, server, calls } = await startWithStore({}, 100);
    const { key } = await publishing.put(await write(long), { ids });
    expect(await read(key)).toEqual({ status: 200, type: "text/csv", text: long });
    expect(calls()[0]).toBe("POST a.csv?uploads=");
    expect(calls().filter(isPart).length).toBe(Math.ceil(long.length / 40));
    expect(await server.unfinished()).toEqual([]);
  });

  it("sends a part again that failed, and no other", async () => {
    const faults = [refusal(500, "InternalError"), { cut_after: -1 }];
    const fault = ({ url }: S3Request) => (url.includes("partNumber=2&") ? faults.shift() : undefined);
    const { publishing, write, read, calls } = await startWithStore({ fault }, 100);
    const { key } = await publishing.put(await write(long), { ids });
    expect((await read(key)).text).toBe(long);
    const sent = calls().filter(isPart);
    expect(sent.filter((call) => call.includes("partNumber=2&")).length).toBe(3);
    expect(sent.length).toBe(Math.ceil(long.length / 40) + 2);
  });

  it("leaves nothing behind when a part cannot be sent", async () => {
    const fault = ({ url }: S3Request) =>
      url.includes("partNumber=3&") ? refusal(403, "AccessDenied") : undefined;
    const { publishing, write, read, server, calls } = await startWithStore({ fault }, 100);
    await expect(publishing.put(await write(long), { ids })).rejects.toMatchObject({
      code: "peer_refused",
      message:
        "Could not publish s3://results/wf-1/task_1/handle/a.csv: the store answers AccessDenied (HTTP 403): Said & done; let these credentials s3:PutObject and s3:AbortMultipartUpload in bucket results",
    });
    expect(calls().at(-1)).toMatch(/^DELETE a\.csv\?uploadId=/);
    expect(await server.unfinished()).toEqual([]);
    expect((await read("wf-1/task_1/handle/a.csv")).status).toBe(404);
  });

  it("gives up the other parts when one cannot be sent", async () => {
    const fault = ({ url }: S3Request) => {
      if (url.includes("partNumber=1&")) return refusal(503, "SlowDown");
      return url.includes("partNumber=2&") ? refusal(403, "AccessDenied") : undefined;
    };
    const started = await startWithStore({ fault }, 100, {}, { backoff_ms: 5_000 });
    const { publishing, write, server, calls } = started;
    await expect(publishing.put(await write(long), { ids })).rejects.toThrow(
      "the store answers AccessDenied",
    );
    expect(calls().filter((call) => call.includes("partNumber=1&")).length).toBe(1);
    expect(await server.unfinished()).toEqual([]);
  });

  it("says what stays behind when not even that can be removed", async () => {
    const fault = ({ url, method }: S3Request) =>
      isPart(url) || method === "DELETE" ? refusal(403, "AccessDenied") : undefined;
    const { publishing, write, server } = await startWithStore({ fault }, 100);
    const failed = await publishing.put(await write(long), { ids }).catch((error: Error) => error.message);
    const [upload] = await server.unfinished();
    expect(failed).toContain(
      `in bucket results. What was sent stays in the bucket as the unfinished upload ${upload}; a lifecycle rule with AbortIncompleteMultipartUpload removes it`,
    );
  });

  it("takes a 200 with an error in it for what it is", async () => {
    const once = [refusal(200, "InternalError")];
    const passing = await startWithStore({ fault: (call) => (isEnd(call) ? once.shift() : undefined) }, 100);
    const { key } = await passing.publishing.put(await passing.write(long), { ids });
    expect((await passing.read(key)).text).toBe(long);
    const lasting = await startWithStore(
      { fault: (call) => (isEnd(call) ? refusal(200, "InvalidPart") : undefined) },
      100,
    );
    await expect(lasting.publishing.put(await lasting.write(long), { ids })).rejects.toThrow(
      "the store answers InvalidPart (HTTP 200): Said & done",
    );
    expect(await lasting.server.unfinished()).toEqual([]);
  });

  it("believes in an end whose answer was lost, if the object is there", async () => {
    for (const isThere of [true, false]) {
      let ends = 0;
      const fault = (call: S3Request) => {
        if (!isEnd(call)) return undefined;
        return ++ends === 1 && isThere ? { cut_after: 0 } : refusal(404, "NoSuchUpload");
      };
      const { publishing, write, read, calls } = await startWithStore({ fault }, 100);
      const put = publishing.put(await write(long), { ids });
      if (isThere) expect((await read((await put).key)).text).toBe(long);
      else await expect(put).rejects.toThrow("the store answers NoSuchUpload (HTTP 404)");
      expect(calls()).toContain("HEAD a.csv");
    }
  });

  it("leaves nothing behind when it is given up", async () => {
    const controller = new AbortController();
    const fault = ({ url }: S3Request) => {
      if (url.includes("partNumber=3&")) controller.abort();
      return undefined;
    };
    const { publishing, write, server, calls } = await startWithStore({ fault }, 100);
    const { signal } = controller;
    await expect(publishing.put(await write(long), { ids, signal })).rejects.toMatchObject({
      code: "aborted",
    });
    expect(calls().at(-1)).toMatch(/^DELETE/);
    expect(await server.unfinished()).toEqual([]);
    const before = server.requests.length;
    await expect(publishing.put(await write(long), { ids, signal })).rejects.toMatchObject({
      code: "aborted",
    });
    expect(server.requests.length).toBe(before);
  });

  it("wants an answer of a store", async () => {
    const { publishing, write } = await startWithStore(
      { fault: () => ({ status: 200, body: "<html>" }) },
      100,
    );
    await expect(publishing.put(await write(long), { ids })).rejects.toMatchObject({
      code: "invalid_reply",
      message:
        "Could not publish s3://results/wf-1/task_1/handle/a.csv: expected the store to answer an UploadId, found none; is `endpoint` an S3 store?",
    });
  });
});

it("puts 160 MiB into a bucket within 160 MB", async () => {
  const size = 160 * 2 ** 20;
  let received = 0;
  const server = createHttpServer((request, response) => {
    request.on("data", (chunk) => {
      received += chunk.length;
    });
    const id = "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>";
    const answer = request.url?.endsWith("?uploads=") ? id : "";
    request.on("end", () => response.setHeader("etag", '"tag"').end(answer));
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const data_dir = await tempFolder();
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const s3 = { endpoint, access_key_id: "key", secret_access_key: "secret", bucket: "results" };
  const program = `
    import { open } from "node:fs/promises";
    import { createFilePlane } from "@aieffect/data-plane-file";
    const plane = createFilePlane(JSON.parse(process.argv[1]));
    const folder = await plane.createTaskFolder("wf", "task");
    const file = await open(folder + "/big", "w");
    await file.truncate(${size});
    await file.close();
    const stored = await plane.store({ path: folder + "/big" }, { folder, format: "binary" });
    await plane.putObject(stored, { ids: ["wf", "task"] });
    plane.close();
    console.log(process.resourceUsage().maxRSS * 1024);`;
  const child = spawn(
    process.execPath,
    ["--input-type=module", "-e", program, JSON.stringify({ data_dir, s3 })],
    { cwd: fileURLToPath(new URL("../..", import.meta.url)), stdio: ["ignore", "pipe", "inherit"] },
  );
  expect(Number(await text(child.stdout))).toBeLessThan(160e6);
  expect(received).toBeGreaterThan(size);
});

describe("a file that changed after it was stored", () => {
  it.each([
    ["whole", csv],
    ["in parts", csv.repeat(5)],
  ])("is not published %s", async (_name, content) => {
    const { publishing, write, server, read } = await startWithStore({}, 100);
    const shorter = await write(content);
    await truncate(shorter.path, content.length - 1);
    await expect(publishing.put(shorter, { ids })).rejects.toMatchObject({
      code: "internal",
      message: `Expected the payload ${shorter.path} to be as it was stored, found it changed; publish a file only when it is complete`,
    });
    const other = await write(content);
    await truncate(other.path, content.length - 1);
    await appendFile(other.path, "!");
    await expect(publishing.put(other, { ids })).rejects.toThrow(
      /XAmzContentSHA256Mismatch|found it changed/,
    );
    await rm(other.path);
    await expect(publishing.put(other, { ids })).rejects.toThrow(
      `Could not read the payload ${other.path}: ENOENT`,
    );
    expect((await read("wf-1/task_1/handle/a.csv")).status).toBe(404);
    expect(await server.unfinished()).toEqual([]);
  });
});
