import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { open, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { DataReference } from "@aieffect/control-interface";
import { tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  createFilePlane,
  type FilePlaneOptions,
  sendPayload,
  toFileReference,
  toHttpReference,
  toInlineReference,
} from "./index.ts";

const csv = "time,kW\n00:00,1.5\n00:15,1.75\n";
const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function startPlane(options: Partial<FilePlaneOptions> = {}) {
  const plane = createFilePlane({ data_dir: await tempFolder(), fetch_backoff_ms: 1, ...options });
  onTestFinished(() => plane.close());
  const folder = await plane.createTaskFolder("wf-1", "task_1");
  return { plane, folder };
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await until("the server", () => server.listening);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("round trips", () => {
  const published: Record<string, (run: Awaited<ReturnType<typeof startPlane>>) => Promise<DataReference>> = {
    inline: async ({ plane, folder }) =>
      toInlineReference(await plane.store(csv, { folder, name: "a.csv", format: "csv" })),
    file: async ({ plane, folder }) =>
      toFileReference(await plane.store(csv, { folder, name: "a.csv", format: "csv" })),
    http: async ({ plane, folder }) => {
      const stored = await plane.store(csv, { folder, name: "a.csv", format: "csv" });
      return toHttpReference(
        stored,
        `${await serve((request, response) => sendPayload(request, response, stored))}/x`,
      );
    },
  };

  it.each(Object.keys(published))(
    "publishes and reads back over %s, with size and checksum",
    async (protocol) => {
      const run = await startPlane();
      const reference = await (published[protocol] as (typeof published)[string])(run);
      expect(reference).toMatchObject({
        protocol,
        format: "csv",
        size_bytes: csv.length,
        checksum: `sha256:${sha256(csv)}`,
      });
      expect(String(await buffer(await run.plane.open(reference)))).toBe(csv);
      expect(await readFile(await run.plane.localPath(reference, run.folder), "utf8")).toBe(csv);
    },
  );

  it.each(Object.keys(published))("notices one other byte over %s", async (protocol) => {
    const run = await startPlane();
    const reference = await (published[protocol] as (typeof published)[string])(run);
    const other = csv.replace("1.75", "1.76");
    if (protocol === "inline") reference.uri = Buffer.from(other).toString("base64");
    else await writeFile(join(run.folder, "a.csv"), other);
    const error = {
      code: "unreadable_reference",
      message: expect.stringContaining(`found sha256:${sha256(other)}`),
    };
    await expect(run.plane.open(reference).then(buffer)).rejects.toMatchObject(error);
    await expect(run.plane.localPath(reference, run.folder)).rejects.toMatchObject(error);
    expect(await readdir(run.folder)).toEqual(["a.csv"]);
  });
});

describe("verification", () => {
  const inline = (extra: Partial<DataReference>): DataReference => ({
    protocol: "inline",
    uri: Buffer.from("abc").toString("base64"),
    format: "binary",
    ...extra,
  });
  const digest = (algorithm: string) => createHash(algorithm).update("abc").digest();

  it.each([
    ["sha256 in upper case", `SHA256:${digest("sha256").toString("hex").toUpperCase()}`],
    ["sha-256 with a hyphen", `sha-256:${digest("sha256").toString("hex")}`],
    ["sha512", `sha512:${digest("sha512").toString("hex")}`],
    ["md5", `md5:${digest("md5").toString("hex")}`],
    ["base64", `sha256:${digest("sha256").toString("base64")}`],
    ["an algorithm that nobody knows", "crc99:whatever"],
  ])("accepts %s", async (_name, checksum) => {
    const { plane } = await startPlane();
    expect(String(await buffer(await plane.open(inline({ checksum, size_bytes: 3 }))))).toBe("abc");
  });

  it.each([
    [{ size_bytes: 2 }, "size_bytes 2, found 3 or more"],
    [{ size_bytes: 4 }, "size_bytes 4, found 3"],
    [{ checksum: "sha512:00" }, "checksum sha512:00, found sha512:"],
    [{ checksum: "md5:00" }, "checksum md5:00, found md5:"],
  ])("refuses %j", async (extra, found) => {
    const { plane } = await startPlane();
    await expect(plane.open(inline(extra)).then(buffer)).rejects.toMatchObject({
      code: "unreadable_reference",
      message: `Expected the inline payload to have ${found}${found.endsWith(":") ? digest(found.slice(found.lastIndexOf(" ") + 1, -1)).toString("hex") : ""}: it is damaged or was changed after it was published; produce it again`,
    });
  });

  it("does not crash the process when an error comes before anybody reads", async () => {
    const { plane } = await startPlane();
    const stream = await plane.open(inline({ size_bytes: 1 }));
    stream.resume();
    await until("the error", () => stream.errored);
    await expect(buffer(stream)).rejects.toMatchObject({ code: "unreadable_reference" });
    const controller = new AbortController();
    const unread = await plane.open(inline({}), { signal: controller.signal });
    controller.abort();
    await until("the error to be told", () => unread.closed);
    await expect(buffer(unread)).rejects.toMatchObject({ code: "aborted" });
  });
});

it.skipIf(process.platform !== "linux")("says which file it could not go on reading", async () => {
  const { plane } = await startPlane({ roots: ["/proc/self"] });
  // A regular file whose first byte cannot be read.
  const stream = await plane.open({ protocol: "file", uri: "/proc/self/mem", format: "binary" });
  await expect(buffer(stream)).rejects.toMatchObject({
    code: "unreadable_reference",
    message: `Cannot read /proc/${process.pid}/mem: EIO: i/o error, read`,
  });
});

describe("what the plane does not open", () => {
  it.each([
    ["grpc", "host:50051"],
    ["nfs", "host:/path"],
    ["mqtt", "mqtt://host/topic"],
    ["villas", "node"],
  ] as const)("refuses %s and says what it opens", async (protocol, uri) => {
    const { plane, folder } = await startPlane();
    const message = `Expected a reference of protocol inline, file, http, https or s3, found ${protocol}: the file data plane cannot open it; ask the service before for one of these, or open it with a data plane for ${protocol}`;
    for (const attempt of [
      plane.open({ protocol, uri, format: "json" }),
      plane.localPath({ protocol, uri, format: "json" }, folder),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: "unreadable_reference", message });
    }
  });

  it("refuses a reference that breaks a rule", async () => {
    const { plane } = await startPlane();
    await expect(plane.open({ protocol: "inline", uri: "a b", format: "csv" })).rejects.toMatchObject({
      code: "invalid_reference",
      message: expect.stringContaining("R-REF-04"),
    });
  });
});

describe("localPath", () => {
  it("compares the size of a file alone unless asked, and gives a missing one no path", async () => {
    const { plane, folder } = await startPlane();
    const path = join(folder, "a.csv");
    await writeFile(path, csv);
    const reference = { protocol: "file", uri: path, format: "csv" } as const;
    expect(await plane.localPath(reference, folder)).toBe(path);
    expect(await plane.localPath({ ...reference, checksum: "sha256:00" }, folder, { verify: false })).toBe(
      path,
    );
    await expect(plane.localPath({ ...reference, size_bytes: 1 }, folder)).rejects.toThrow("size_bytes 1");
    await expect(plane.localPath({ ...reference, uri: `${path}x` }, folder)).rejects.toThrow(
      "does not exist",
    );
  });

  it("copies two inputs side by side", async () => {
    const { plane, folder } = await startPlane();
    const paths = await Promise.all(
      ["a", "b"].map(async (text) =>
        plane.localPath(await toInlineReference({ bytes: text, format: "json" }), folder),
      ),
    );
    expect(await Promise.all(paths.map((path) => readFile(path, "utf8")))).toEqual(["a", "b"]);
    expect((await readdir(folder)).length).toBe(2);
  });
});

describe("constant memory", () => {
  const size = 300 * 2 ** 20;

  it("moves 300 MiB from a server to disk within 200 MB", async () => {
    const block = Buffer.alloc(2 ** 20, "0123456789abcdef");
    const origin = await serve((_request, response) => {
      response.setHeader("content-length", size);
      Readable.from(blocks()).pipe(response);
      function* blocks() {
        for (let sent = 0; sent < size; sent += block.length) yield block;
      }
    });
    const hash = createHash("sha256");
    for (let sent = 0; sent < size; sent += block.length) hash.update(block);
    const checksum = `sha256:${hash.digest("hex")}`;
    const folder = await tempFolder();
    const reference = {
      protocol: "http",
      uri: `${origin}/big`,
      format: "binary",
      size_bytes: size,
      checksum,
    };
    const program = `
      import { createFilePlane } from "@aieffect/data-plane-file";
      const plane = createFilePlane({ data_dir: process.argv[1] });
      const folder = await plane.createTaskFolder("wf", "task");
      const stored = await plane.store(await plane.open(JSON.parse(process.argv[2])), { folder, name: "big", format: "binary" });
      plane.close();
      console.log(JSON.stringify({ ...stored, peak: process.resourceUsage().maxRSS * 1024 }));`;
    const result = JSON.parse(
      await runNode(["--input-type=module", "-e", program, folder, JSON.stringify(reference)]),
    );
    expect(result).toMatchObject({ size_bytes: size, checksum });
    expect(result.peak).toBeLessThan(200e6);
  });

  it("makes a server wait for a slow reader", async () => {
    let sent = 0;
    const block = Buffer.alloc(2 ** 20);
    const origin = await serve((_request, response) => {
      Readable.from(blocks(), { highWaterMark: 1 }).pipe(response);
      function* blocks() {
        for (; sent < 300; sent++) yield block;
      }
    });
    const { plane } = await startPlane();
    const stream = await plane.open({ protocol: "http", uri: origin, format: "binary" });
    onTestFinished(() => void stream.destroy());
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    // What the sockets of both ends hold, and not a block more, once nothing moves any longer.
    let last = -1;
    await until("the server to stand still", async () => {
      const before = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
      last = before;
      return before === sent;
    });
    expect(last).toBeLessThan(100);
    let bytes = 0;
    for await (const chunk of { [Symbol.asyncIterator]: () => iterator }) bytes += (chunk as Buffer).length;
    expect(sent).toBe(300);
    expect(bytes).toBeGreaterThan(299 * 2 ** 20);
  });
});

it("lets a file be deleted and its descriptor go when a reader stops early", async () => {
  const { plane, folder } = await startPlane();
  const path = join(folder, "big");
  const handle = await open(path, "w");
  await handle.truncate(50 * 2 ** 20);
  await handle.close();
  const stream = await plane.open({ protocol: "file", uri: path, format: "binary" });
  for await (const _chunk of stream) break;
  await until("the file to be closed", async () => !(await openFiles()).includes(path));
});

/** The files that this process has open; none where the system does not tell. */
async function openFiles(): Promise<string[]> {
  const { readlink } = await import("node:fs/promises");
  const descriptors = await readdir("/proc/self/fd").catch(() => []);
  return Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
}

describe("the README's program", () => {
  it("runs as it stands", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const folder = await tempFolder();
    const output = await runNode([
      "--input-type=module",
      "-e",
      program.replace('"./data"', JSON.stringify(folder)),
    ]);
    expect(output).toBe(/prints:\n\n```\n([\s\S]*?)```/.exec(readme)?.[1]?.replaceAll("./data", folder));
  });
});

/** Runs a program against the built package, which finds itself by its name. */
async function runNode(args: string[]): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: fileURLToPath(new URL("..", import.meta.url)) });
  const [output, errors] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  await until("the program to end", () => child.exitCode !== null || child.signalCode !== null);
  expect(String(errors)).toBe("");
  return String(output);
}
