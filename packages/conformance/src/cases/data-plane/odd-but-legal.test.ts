import { createHash } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";

import { describe, expect, it, onTestFinished } from "vitest";
import { runSuite } from "../../engine/run.ts";
import { zooScale, zooSettings } from "../../zoo/judge-mutant.ts";
import { pristineSamples } from "../../zoo/manifest.ts";
import { type Hooks, type PristineOptions, type Reference, startPristine } from "../../zoo/pristine.ts";
import { dataPlaneCases } from "./index.ts";

type Given = Omit<PristineOptions, "hooks" | "share"> & {
  share?: string | null;
  origins?: Record<string, string>;
};

/** What one case comes to on a pristine service with these hooks. */
async function judge(id: string, hooks: Hooks, { share, origins, ...service }: Given = {}) {
  const running = await startPristine({ time_scale: zooScale, ...service, hooks });
  onTestFinished(running.close);
  const { results } = await runSuite({
    url: running.url(),
    samples: pristineSamples(),
    share: share === null ? undefined : running.share,
    ...(origins && { origins }),
    cases: dataPlaneCases.filter((one) => one.id === id),
    settings: zooSettings,
  });
  const [result] = results;
  return [result?.status, result?.findings.map(({ code }) => code).join(), result?.reason ?? ""];
}

/** Another reference for what Load makes. */
function loads(change: (reference: Reference, bytes: Buffer) => Partial<Reference>): Hooks {
  return {
    async publish(task, made, next) {
      const reference = await next();
      return reference !== null && task.body.method === "Load"
        ? { ...reference, ...change(reference, made.bytes) }
        : reference;
    },
  };
}

describe("the data plane, on services that are odd but legal", () => {
  it.each([
    ["MD5 in base64", (bytes: Buffer) => `md5:${createHash("md5").update(bytes).digest("base64")}`],
    ["hexadecimal digits in upper case", (bytes: Buffer) => `SHA256:${sha256(bytes).toUpperCase()}`],
    ["an algorithm that nobody knows", () => "own-2026:x"],
  ])("takes a checksum as %s", async (_name, checksum) => {
    const hooks = loads((_reference, bytes) => ({ checksum: checksum(bytes) }));
    expect(await judge("D11", hooks)).toEqual(["pass", "", ""]);
  });

  it("has nothing to say about sizes and checksums that are not there", async () => {
    const hooks: Hooks = {
      publish: async (_task, _made, next) => {
        const reference = await next();
        return reference && { ...reference, size_bytes: null, checksum: null };
      },
    };
    expect(await judge("D11", hooks)).toEqual(["not-applicable", "", "no output has a size or a checksum"]);
  });

  it("takes a gRPC address at which somebody listens, and a name that means nothing here", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await new Promise((done) => server.once("listening", done));
    const { port } = server.address() as AddressInfo;
    const at = (uri: string) => loads(() => ({ protocol: "grpc", uri, format: "GetResult" }));
    expect(await judge("D10", at(`127.0.0.1:${port}`))).toEqual(["pass", "", ""]);
    expect(await judge("D10", at("no-such-service.invalid:50051"))).toEqual([
      "info",
      "E_NOT_CONNECTABLE",
      "",
    ]);
    const mapped = { "grpc://no-such-service.invalid:50051": `grpc://127.0.0.1:${port}` };
    expect(await judge("D10", at("no-such-service.invalid:50051"), { origins: mapped })).toEqual([
      "pass",
      "",
      "",
    ]);
  });

  it("reads objects of S3 where the manifest says how", async () => {
    const port = await freePort();
    const hooks = loads(({ uri }) => ({ protocol: "s3", uri: uri.replace(/^.*data/, "s3://results") }));
    const origins = (path: string) => ({ "s3://results": `http://127.0.0.1:${port}/control/${path}` });
    expect(await judge("D10", hooks)).toEqual(["pass", "", ""]);
    expect(await judge("D10", hooks, { port, origins: origins("data") })).toEqual(["pass", "", ""]);
    const other = await freePort();
    const elsewhere = { "s3://results": `http://127.0.0.1:${other}/bucket` };
    expect(await judge("D10", hooks, { port: other, origins: elsewhere })).toEqual([
      "warn",
      "E_DATA_UNREADABLE",
      "",
    ]);
  });

  it("takes a URL that equal results share because it is named by their content", async () => {
    const handles = new Map<string, string>();
    const hooks: Hooks = {
      async publish(task, { bytes }, next) {
        const reference = await next();
        if (reference?.protocol !== "http") return reference;
        handles.set(sha256(bytes), task.handle);
        return { ...reference, uri: reference.uri.replace(task.handle, sha256(bytes)) };
      },
      find: (id, next) => next(handles.get(id) ?? id),
    };
    expect(await judge("D06", hooks)).toEqual(["pass", "", ""]);
  });

  it("takes parts of payloads as well as none", async () => {
    const hooks: Hooks = {
      async call(call, next) {
        const answer = await next();
        const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(String(call.headers.range)) ?? [];
        if (!call.path.startsWith("/control/data/") || from === undefined) return answer;
        const whole = answer.body as Buffer;
        const end = Math.min(to ? Number(to) : Infinity, whole.length - 1);
        const headers = { ...answer.headers, "content-range": `bytes ${from}-${end}/${whole.length}` };
        return { status: 206, headers, body: whole.subarray(Number(from), end + 1) };
      },
    };
    expect(await judge("D06", hooks)).toEqual(["pass", "", ""]);
  });

  it("cannot test outputs at a host that is not reached from here", async () => {
    const hooks = loads(() => ({ uri: "http://no-such-service.invalid:8080/control/data/x" }));
    const [status, codes, reason] = await judge("D06", hooks);
    expect([status, codes]).toEqual(["untestable", ""]);
    expect(reason).toContain('data: {origin-map: {"http://no-such-service.invalid:8080": "http://127.0.0.1:');
  });

  it("lets a service that takes no inputs over HTTP say so", async () => {
    const hooks: Hooks = {
      input(reference, next) {
        if (reference.protocol === "http") throw new Error("Expected the input to be inline");
        return next();
      },
    };
    const given = { self_description: false };
    for (const id of ["D07", "D08"]) {
      const [status, , reason] = await judge(id, hooks, given);
      expect(status).toBe("not-applicable");
      expect(reason).toContain("Expected the input to be inline");
    }
  });

  it("takes an output that tells where its input was, and warns of escapes that are spelled anew", async () => {
    const hooks: Hooks = {
      async work(task, next) {
        const made = await next();
        const sources = task.body.inputs.map(({ uri }) => uri);
        return { ...made, bytes: Buffer.from(JSON.stringify({ sources, made: made.bytes.toString() })) };
      },
      input: (reference, next) => next({ ...reference, uri: reference.uri.replaceAll("%2F", "/") }),
    };
    expect(await judge("D07", hooks)).toEqual(["warn", Array(4).fill("E_INPUT_URL_CHANGED").join(), ""]);
  });

  it("cannot judge files that it does not see", async () => {
    const [status, codes, reason] = await judge("D09", {}, { share: null });
    expect([status, codes]).toEqual(["untestable", ""]);
    expect(reason).toContain("data: {share: ./the/folder}");
  });

  it("finds files under the share wherever the service has mounted it", async () => {
    const hooks: Hooks = {
      async publish(task, _made, next) {
        const reference = await next();
        return task.body.method === "Save" && reference
          ? { ...reference, uri: reference.uri.replace(/^.*\//, "file:///mnt/data/") }
          : reference;
      },
    };
    expect(await judge("D09", hooks)).toEqual(["pass", "", ""]);
  });
});

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
