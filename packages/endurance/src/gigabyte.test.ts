import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { createServer, get, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { DataReference } from "@aieffect/control-interface";
import { needs, tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { peakOf } from "./peak-memory.ts";
import { scale } from "./scale.ts";
import { type SpawnedService, spawnService } from "./spawn-service.ts";

const MiB = 2 ** 20;
const size_bytes = scale({ short: 64 * MiB, full: 1024 * MiB });

describe(`a payload of ${size_bytes / MiB} MiB between two processes`, () => {
  it("goes on by range when the connection is reset at half, in constant memory", async () => {
    const { proxy, maker, keeper, reference } = await makePayload();
    proxy.disturb = (bytes, at, socket) => {
      if (at < size_bytes / 2) return bytes;
      socket.resetAndDestroy();
      return undefined;
    };
    const kept = await keeper.complete("Keep", { inputs: [reference] });
    expect(kept).toMatchObject({ size_bytes, checksum: reference.checksum });
    expect(await checksumOf(kept.uri)).toBe(reference.checksum);
    expect(proxy.ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
    // What was there already did not come again.
    expect(proxy.passed).toBeLessThan(1.3 * size_bytes);
    expect(keeper.said()).toContain('"msg":"fetching an input goes on"');
    if (needs("/proc", existsSync("/proc/self/status"))) return;
    for (const { child } of [maker, keeper]) expect(await peakOf(child.pid)).toBeLessThan(200 * MiB);
  });

  it("is fetched again when one byte of it was flipped on the way", async () => {
    const { proxy, keeper, reference } = await makePayload();
    proxy.disturb = (bytes, at) => {
      if (at < size_bytes / 2) return bytes;
      proxy.disturb = undefined;
      const flipped = Buffer.from(bytes);
      flipped[0] = (flipped[0] as number) ^ 1;
      return flipped;
    };
    const kept = await keeper.complete("Keep", { inputs: [reference] });
    expect(await checksumOf(kept.uri)).toBe(reference.checksum);
    expect(proxy.ranges).toEqual([undefined, undefined]);
    expect(keeper.said()).toContain(`to have checksum ${reference.checksum}, found sha256:`);
  });
});

it("is refused with its reason: a path outside the roots, a redirect to a metadata address, a body longer than announced", async () => {
  const keeper = await startService();
  const away = await listen((_request, response) =>
    response.writeHead(302, { location: "http://169.254.169.254/latest" }).end(),
  );
  const long = await listen((_request, response) => response.end(Buffer.alloc(1000)));
  const cases: [Partial<DataReference>, string][] = [
    [{ protocol: "file", uri: "/etc/hostname" }, "Refused to read /etc/hostname: files are read from "],
    [{ uri: away }, "Refused to call 169.254.169.254: link-local and metadata addresses are never called"],
    [{ uri: long, size_bytes: 999 }, "to have size_bytes 999, found 1000 or more"],
  ];
  for (const [fields, reason] of cases) {
    const inputs = [{ protocol: "http", format: "binary", ...fields }];
    expect(await keeper.execute("Keep", { inputs })).toMatchObject({
      status: "failed",
      error: expect.stringContaining(reason),
    });
  }
});

/** A service with a payload, another one to keep it, and a proxy between the two. */
async function makePayload() {
  const proxy = await startProxy();
  const maker = await startService({ SELF_URL: proxy.origin });
  proxy.target = maker.url;
  const reference = await maker.complete("Make", { parameters: { size_bytes } });
  expect(reference).toMatchObject({ protocol: "http", size_bytes });
  expect(reference.uri.startsWith(proxy.origin)).toBe(true);
  return { proxy, maker, keeper: await startService(), reference };
}

interface Proxy {
  origin: string;
  /** Where to pass calls on to. */
  target: string;
  /** Sees the bytes of bodies until it is done with them once; gives what to send instead. */
  disturb: ((bytes: Buffer, at: number, socket: IncomingMessage["socket"]) => Buffer | undefined) | undefined;
  /** The `Range` of each call. */
  ranges: (string | undefined)[];
  /** Bytes of all bodies. */
  passed: number;
}

async function startProxy(): Promise<Proxy> {
  const proxy: Proxy = { origin: "", target: "", disturb: undefined, ranges: [], passed: 0 };
  proxy.origin = await listen((request, response) => {
    proxy.ranges.push(request.headers.range);
    const isFirst = proxy.ranges.length === 1;
    const url = new URL(request.url ?? "/", proxy.target);
    get(url, { headers: request.headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      let at = 0;
      const watch = new Transform({
        transform(bytes: Buffer, _encoding, done) {
          const sent =
            isFirst && proxy.disturb !== undefined ? proxy.disturb(bytes, at, request.socket) : bytes;
          at += bytes.length;
          proxy.passed += bytes.length;
          done(null, sent ?? Buffer.alloc(0));
        },
      });
      // Whoever was reset has heard of it.
      pipeline(answer, watch, response).catch(() => answer.destroy());
    });
  });
  return proxy;
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startService(env: Record<string, string> = {}) {
  const service: SpawnedService = spawnService("gigabyte-service", { DATA_DIR: await tempFolder(), ...env });
  const url = await service.listening();
  const execute = async (method: string, fields: object): Promise<Record<string, unknown>> => {
    const body = JSON.stringify({ method, workflow_id: "wf-1", task_id: "task-1", ...fields });
    const response = await fetch(`${url}/control/execute`, { method: "POST", body });
    return response.json() as Promise<Record<string, unknown>>;
  };
  async function complete(method: string, fields: object): Promise<DataReference> {
    const answer = await execute(method, fields);
    expect(answer).toMatchObject({ status: "complete" });
    return answer.output as DataReference;
  }
  return { ...service, url, execute, complete };
}

async function checksumOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(path, { highWaterMark: MiB })) hash.update(bytes);
  return `sha256:${hash.digest("hex")}`;
}
