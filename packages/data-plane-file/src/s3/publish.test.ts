import { createHash } from "node:crypto";
import { appendFile, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { type S3Request, type S3ServerOptions, startS3, tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFilePlane, type FilePlaneOptions, toHttpReference, toS3Reference } from "../index.ts";
import { resolveOptions } from "../options.ts";
import { store } from "../write/store.ts";
import { createS3Store } from "./store.ts";

const csv = "time,kW\n00:00,1.5\n00:15,1.75\n";
const ids = ["wf-1", "task_1", "handle"];
const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const refusal = (status: number, code: string) => ({
  status,
  body: `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>Said &amp; done.</Message><StringToSign>x</StringToSign></Error>`,
});

/** A store that sends what has more than 100 bytes in parts of 40, and what publishes to it. */
async function startPublishing(options: S3ServerOptions = {}, plane: Partial<FilePlaneOptions["s3"]> = {}) {
  const server = await startS3(options);
  const { endpoint, access_key_id, secret_access_key } = server;
  const s3 = { endpoint, access_key_id, secret_access_key, bucket: "results", ...plane };
  const resolved = resolveOptions({ data_dir: await tempFolder(), s3 });
  const publishing = createS3Store(resolved.s3, {
    hosts: resolved.hosts,
    idle_timeout_ms: 10_000,
    retries: 3,
    backoff_ms: 1,
    parts: { above_bytes: 100, part_bytes: 40, parallel: 2 },
  });
  onTestFinished(() => publishing.close());
  const folder = await tempFolder();
  return {
    server,
    publishing,
    folder,
    write: (content: string) => store(content, { folder, name: "a.csv", format: "csv" as const }),
    read: (key: string) => read(endpoint, `/results/${key}`, publishing.presign({ bucket: "results", key })),
    calls: () => server.requests.map(({ method, url }) => `${method} ${url.split("/").at(-1)}`),
  };
}

async function read(_endpoint: string, _path: string, url: string) {
  const answer = await fetch(url);
  return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
}

describe("an object put in one call", () => {
  it.each([["", csv], ["empty", ""]])("arrives as it was stored, with its media type %s", async (_name, content) => {
    const { publishing, write, read, server } = await startPublishing({}, { prefix: "energy/" });
    const object = await publishing.put(await write(content), { ids });
    expect(object).toEqual({ bucket: "results", key: "energy/wf-1/task_1/handle/a.csv" });
    expect(await read(object.key)).toEqual({ status: 200, type: "text/csv", text: content });
    expect(server.requests[0]?.headers).toMatchObject({
      "x-amz-content-sha256": sha256(content),
      "content-length": String(content.length),
    });
  });

  it("is signed for temporary credentials, another region and the bucket in the host's name", async () => {
    const session_token = "a/token+=";
    const region = "eu-central-1";
    const server = await startS3({ authority: { session_token, region } });
    const { access_key_id, secret_access_key } = server;
    const { port } = new URL(server.endpoint);
    const endpoint = `http://s3.test:${port}`;
    const s3 = { endpoint, access_key_id, secret_access_key, session_token, region, path_style: false, bucket: "results" };
    const resolved = resolveOptions({ data_dir: await tempFolder(), s3 });
    const lookup = ((_host, options, callback) =>
      options.all
        ? callback(null, [{ address: "127.0.0.1", family: 4 }])
        : callback(null, "127.0.0.1", 4)) as typeof resolved.hosts.lookup;
    const publishing = createS3Store(resolved.s3, {
      hosts: { assertUrl: resolved.hosts.assertUrl, lookup },
      idle_timeout_ms: 10_000,
      retries: 0,
      backoff_ms: 1,
    });
    onTestFinished(() => publishing.close());
    const folder = await tempFolder();
    await publishing.put(await store(csv, { folder, format: "csv" }), { ids });
    expect(server.requests).toMatchObject([
      {
        refusal: undefined,
        url: "/wf-1/task_1/handle/output.csv",
        headers: { host: `results.s3.test:${port}`, "x-amz-security-token": session_token },
      },
    ]);
  });

  it("is tried again while the store is busy or the connection is cut", async () => {
    const faults = [refusal(503, "SlowDown"), { cut_after: -1 }, refusal(400, "RequestTimeout")];
    const { publishing, write, read, calls } = await startPublishing({ fault: () => faults.shift() });
    const { key } = await publishing.put(await write(csv), { ids });
    expect(calls()).toEqual(Array(4).fill("PUT a.csv"));
    expect((await read(key)).text).toBe(csv);
  });

  it("is given up after as many retries as there are", async () => {
    const { publishing, write, calls } = await startPublishing({ fault: () => refusal(503, "SlowDown") });
    await expect(publishing.put(await write(csv), { ids })).rejects.toMatchObject({
      code: "peer_refused",
      peer_status: 503,
      message:
        "Could not publish s3://results/wf-1/task_1/handle/a.csv: the store answers SlowDown (HTTP 503): Said & done; try again later",
    });
    expect(calls().length).toBe(4);
  });

  it("does not send what the store does not want", async () => {
    const server = await startS3();
    const resolved = resolveOptions({
      data_dir: await tempFolder(),
      s3: { ...server, secret_access_key: "another", bucket: "results" },
    });
    const plane = createFilePlane({
      data_dir: await tempFolder(),
      s3: { ...server, secret_access_key: "another", bucket: "results" },
    });
    void resolved;
    onTestFinished(() => plane.close());
    void plane;
  });
});

describe("an object put in parts", () => {
  const long = Array.from({ length: 30 }, (_, hour) => `${hour}:00,${hour * 1.5}\n`).join("");

  it("arrives as it was stored, several parts at a time", async () => {
    const { publishing, write, read, server, calls } = await startPublishing();
    const { key } = await publishing.put(await write(long), { ids });
    expect(await read(key)).toEqual({ status: 200, type: "text/csv", text: long });
    const parts = calls().filter((call) => call.includes("partNumber"));
    expect(parts.length).toBe(Math.ceil(long.length / 40));
    expect(calls()[0]).toBe("POST a.csv?uploads=");
    expect(await server.unfinished()).toEqual([]);
  });

  it("sends a part again that failed, and no other", async () => {
    let left = 2;
    const fault = ({ url }: S3Request) =>
      url.includes("partNumber=2&") && left-- > 0 ? refusal(500, "InternalError") : undefined;
    const { publishing, write, read, calls } = await startPublishing({ fault });
    const { key } = await publishing.put(await write(long), { ids });
    expect((await read(key)).text).toBe(long);
    const sent = calls().filter((call) => call.includes("partNumber"));
    expect(sent.filter((call) => call.includes("partNumber=2&")).length).toBe(3);
    expect(sent.length).toBe(Math.ceil(long.length / 40) + 2);
  });

  it("leaves nothing behind when a part cannot be sent", async () => {
    const fault = ({ url }: S3Request) => (url.includes("partNumber=3&") ? refusal(403, "AccessDenied") : undefined);
    const { publishing, write, read, server, calls } = await startPublishing({ fault });
    await expect(publishing.put(await write(long), { ids })).rejects.toMatchObject({
      code: "peer_refused",
      message: expect.stringContaining("let these credentials s3:PutObject"),
    });
    expect(calls().at(-1)).toMatch(/^DELETE a\.csv\?uploadId=/);
    expect(await server.unfinished()).toEqual([]);
    expect((await read("wf-1/task_1/handle/a.csv")).status).toBe(404);
  });

  it("says what stays behind when not even that can be removed", async () => {
    const fault = ({ url, method }: S3Request) =>
      url.includes("partNumber=") || method === "DELETE" ? refusal(403, "AccessDenied") : undefined;
    const { publishing, write, server } = await startPublishing({ fault });
    const failed = publishing.put(await write(long), { ids });
    await expect(failed).rejects.toThrow("a lifecycle rule with AbortIncompleteMultipartUpload removes it");
    const [upload = ""] = await server.unfinished();
    await expect(failed).rejects.toThrow(`as the unfinished upload ${upload}`);
  });

  it("takes a 200 with an error in it for what it is", async () => {
    const isEnd = ({ method, url }: S3Request) => method === "POST" && url.includes("uploadId");
    const faults = [{ ...refusal(200, "InternalError") }];
    const passing = await startPublishing({ fault: (request) => (isEnd(request) ? faults.shift() : undefined) });
    const { key } = await passing.publishing.put(await passing.write(long), { ids });
    expect((await passing.read(key)).text).toBe(long);
    const lasting = await startPublishing({
      fault: (request) => (isEnd(request) ? refusal(200, "InvalidPart") : undefined),
    });
    await expect(lasting.publishing.put(await lasting.write(long), { ids })).rejects.toThrow(
      "the store answers InvalidPart (HTTP 200): Said & done",
    );
    expect(await lasting.server.unfinished()).toEqual([]);
  });

  it("believes an end whose answer was lost", async () => {
    let ends = 0;
    const fault = ({ method, url }: S3Request) => {
      if (method !== "POST" || !url.includes("uploadId")) return undefined;
      return ++ends === 1 ? { cut_after: 0 } : refusal(404, "NoSuchUpload");
    };
    const { publishing, write, read, calls } = await startPublishing({ fault });
    const { key } = await publishing.put(await write(long), { ids });
    expect(calls().at(-1)).toBe("HEAD a.csv");
    expect((await read(key)).text).toBe(long);
  });

  it("leaves nothing behind when it is given up", async () => {
    const controller = new AbortController();
    const fault = ({ url }: S3Request) => {
      if (url.includes("partNumber=3&")) controller.abort();
      return undefined;
    };
    const { publishing, write, server, calls } = await startPublishing({ fault });
    await expect(
      publishing.put(await write(long), { ids, signal: controller.signal }),
    ).rejects.toMatchObject({ code: "aborted" });
    expect(await server.unfinished()).toEqual([]);
    expect(calls().at(-1)).toMatch(/^DELETE/);
    const before = server.requests.length;
    await expect(
      publishing.put(await write(long), { ids, signal: controller.signal }),
    ).rejects.toMatchObject({ code: "aborted" });
    expect(server.requests.length).toBe(before);
  });
});

describe("a file that changed after it was stored", () => {
  const long = "x".repeat(150);

  it.each([["whole", csv], ["in parts", long]])("is not published %s", async (_name, content) => {
    const { publishing, write, server, read } = await startPublishing();
    const shorter = await write(content);
    await truncate(shorter.path, content.length - 1);
    await expect(publishing.put(shorter, { ids })).rejects.toMatchObject({
      code: "internal",
      message: `Expected the payload ${shorter.path} to be as it was stored, found it changed; publish a file only when it is complete`,
    });
    const other = await write(content);
    await truncate(other.path, content.length - 1);
    await appendFile(other.path, "!");
    await expect(publishing.put(other, { ids })).rejects.toThrow(/XAmzContentSHA256Mismatch|found it changed/);
    await rm(other.path);
    await expect(publishing.put(other, { ids })).rejects.toThrow(`Could not read the payload ${other.path}: ENOENT`);
    expect((await read("wf-1/task_1/handle/a.csv")).status).toBe(404);
    expect(await server.unfinished()).toEqual([]);
  });
});

void join;
void readFile;
void until;
void toHttpReference;
void toS3Reference;
