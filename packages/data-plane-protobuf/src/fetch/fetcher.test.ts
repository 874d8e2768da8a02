import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { ControlError, type DataReference } from "@aieffect/control-interface";
import { needs, tempFolder } from "@aieffect/test-support";
import { ServerCredentials, status } from "@grpc/grpc-js";
import { describe, expect, it, onTestFinished } from "vitest";
import { Chunk } from "../generated/aieffect/dataplane/v1/results.ts";
import { createProtobufPlane, type ProtobufPlane, type ProtobufPlaneOptions } from "../index.ts";
import { delimit } from "../results/delimited.ts";
import { startChunkPeer, startPeer, startProxy } from "../testing/peer.ts";
import { Generator, gate, generated, start } from "../testing/start.ts";

const rpc = "data_generator.DataGeneratorService/GenerateData";
const answer = { success: true, message: "deployed", records: [{ household_id: "HH-001", voltage: 230 }] };

/** A plane that fetches alone. */
function fetching(options: ProtobufPlaneOptions = {}): ProtobufPlane {
  const plane = createProtobufPlane({ fetch_backoff_ms: 1, ...options });
  onTestFinished(() => plane.stop(0));
  return plane;
}

/** What a fetch came to, when it is refused. */
async function failureOf(promise: Promise<unknown>): Promise<ControlError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(ControlError);
  return thrown as ControlError;
}

describe("a deployed peer", () => {
  it("is asked by the bare RPC, with an empty request and no ids", async () => {
    const peer = await startPeer(() => answer);
    const plane = fetching();
    const found = await plane.fetchMessage(peer.reference, Generator.generateData);
    expect(found).toMatchObject({ message: "deployed", records: [{ householdId: "HH-001", voltage: 230 }] });
    for await (const message of plane.fetchMessages({ reference: peer.reference }, Generator.generateData)) {
      expect(message).toEqual(found);
    }
    expect(peer.calls).toHaveLength(2);
    for (const { request, metadata } of peer.calls) {
      expect(request).toEqual({});
      expect(Object.keys(metadata.getMap()).filter((key) => key !== "user-agent")).toEqual([]);
    }
  });

  it("is asked again when it was away for a moment, and told of", async () => {
    const peer = await startPeer((call, callback) => {
      if (call > 2) return answer;
      callback({ code: status.UNAVAILABLE, details: "busy" });
      return undefined;
    });
    const warned: unknown[] = [];
    const log = { warn: (line: unknown, text: string) => warned.push([line, text]) } as never;
    const found = await fetching().fetchMessage(peer.reference, Generator.generateData, { log });
    expect(found.message).toBe("deployed");
    expect(warned).toEqual([
      [{ peer: peer.address, rpc, attempt: 1, reason: "UNAVAILABLE: busy" }, "fetching an input goes on"],
      [expect.objectContaining({ attempt: 2 }), "fetching an input goes on"],
    ]);
  });

  it("is not asked again for what will not change, and what it said is told with its code", async () => {
    const peer = await startPeer((_call, callback) => {
      callback({ code: status.NOT_FOUND, details: "No data yet" });
      return undefined;
    });
    const failure = await failureOf(fetching().fetchMessage(peer.reference, Generator.generateData));
    expect(failure).toMatchObject({
      code: "unreadable_reference",
      message: `Cannot fetch ${rpc} from ${peer.address}: NOT_FOUND: No data yet`,
    });
    expect(peer.calls).toHaveLength(1);
  });

  it("that is not there, does not answer, or sends too much, is named", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const sockets: { destroy(): void }[] = [];
    silent.on("connection", (socket) => sockets.push(socket));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    const away = await startPeer(() => answer);
    const large = await startPeer(() => ({ message: "x".repeat(2000) }));
    const to = (uri: string): DataReference => ({ protocol: "grpc", uri, format: "GenerateData" });

    const tiny = fetching({ max_fetch_bytes: 1000, fetch_retries: 1 });
    const impatient = fetching({ fetch_retries: 1, fetch_idle_timeout_ms: 300 });
    expect((await failureOf(tiny.fetchMessage(to("127.0.0.1:1"), Generator.generateData))).message).toMatch(
      new RegExp(
        `^Cannot fetch ${rpc} from 127.0.0.1:1: UNAVAILABLE: .*; is the service started, and is this its gRPC port\\? \\(tried 2 times\\)$`,
      ),
    );
    expect(
      (await failureOf(impatient.fetchMessage(to(`127.0.0.1:${port}`), Generator.generateData))).message,
    ).toMatch(new RegExp(`^Cannot fetch ${rpc} from 127.0.0.1:${port}: DEADLINE_EXCEEDED`));
    expect((await failureOf(tiny.fetchMessage(large.reference, Generator.generateData))).message).toMatch(
      new RegExp(
        `^Cannot fetch ${rpc} from ${large.address}: RESOURCE_EXHAUSTED: .*; max_fetch_bytes allows more$`,
      ),
    );
    expect(
      (await failureOf(tiny.fetchMessage(to("no-such-host.invalid:1"), Generator.generateData))).message,
    ).toMatch(new RegExp(`^Cannot fetch ${rpc} from no-such-host.invalid:1: E\\w+: `));
    const unknown = { ...Generator.generateData, path: "/other.Service/GenerateData" };
    expect((await failureOf(tiny.fetchMessage(away.reference, unknown))).message).toMatch(
      /UNIMPLEMENTED: .*; the peer does not serve this RPC; is it the right port\?$/,
    );
  });

  it("is not called where the host is refused, by address or behind a name", async () => {
    const plane = fetching({ hosts: { allow_hosts: ["10.0.0.0/8"] } });
    const to = (uri: string): DataReference => ({ protocol: "grpc", uri, format: "GenerateData" });
    expect(
      (await failureOf(fetching().fetchMessage(to("169.254.169.254:80"), Generator.generateData))).message,
    ).toBe("Refused to call 169.254.169.254: link-local and metadata addresses are never called");
    const refused = await failureOf(plane.fetchMessage(to("localhost:50051"), Generator.generateData));
    expect(refused.message).toMatch(/^Refused to call localhost \(.*\): only these hosts are: 10.0.0.0\/8$/);
  });

  it("is given up when the caller gives up", async () => {
    const peer = await startPeer(() => undefined);
    const abort = new AbortController();
    const asked = failureOf(
      fetching().fetchMessage(peer.reference, Generator.generateData, { signal: abort.signal }),
    );
    await expect.poll(() => peer.calls.length).toBe(1);
    abort.abort(new Error("enough"));
    expect(await asked).toMatchObject({
      code: "aborted",
      message: `Fetching ${rpc} from ${peer.address}: given up by the caller`,
    });
  });

  it("gets its key and the trace, and no other peer does", async () => {
    const [keyed, other] = [await startPeer(() => answer), await startPeer(() => answer)];
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const plane = fetching({ peer_keys: { [keyed.address]: "k-1" } });
    for (const { reference } of [keyed, other]) {
      await plane.fetchMessage(reference, Generator.generateData, { traceparent });
    }
    expect(keyed.calls[0]?.metadata.getMap()).toMatchObject({ authorization: "Bearer k-1", traceparent });
    expect(other.calls[0]?.metadata.getMap()).toMatchObject({ traceparent });
    expect(other.calls[0]?.metadata.get("authorization")).toEqual([]);
  });
});

it("tells nobody a key that a peer says back", async () => {
  const peer = await startPeer((_call, callback) => {
    callback({ code: status.UNAVAILABLE, details: "no such key: k-secret!" });
    return undefined;
  });
  const warned: unknown[] = [];
  const log = { warn: (line: unknown) => warned.push(line) } as never;
  const plane = fetching({ peer_keys: { "127.0.0.1": "k-secret" }, fetch_retries: 1 });
  const failure = await failureOf(plane.fetchMessage(peer.reference, Generator.generateData, { log }));
  expect(failure.message).toContain("UNAVAILABLE: no such key: [redacted]!");
  expect(warned).toMatchObject([{ reason: "UNAVAILABLE: no such key: [redacted]!" }]);
});

describe("TLS", () => {
  it("is spoken with peers that are listed, and with ours that say so; their certificates are checked", async () => {
    if (needs("openssl", hasOpenssl())) return;
    const { cert, key } = await createCertificate();
    const creds = ServerCredentials.createSsl(null, [{ cert_chain: cert, private_key: key }]);
    const peer = await startPeer(() => answer, creds);
    const port = peer.address.split(":")[1];
    const reference = { ...peer.reference, uri: `localhost:${port}` };
    const trusting = fetching({ peer_tls: { ca: cert, hosts: ["localhost"] } });
    expect(await trusting.fetchMessage(reference, Generator.generateData)).toMatchObject({
      message: "deployed",
    });
    const wary = fetching({ peer_tls: { hosts: ["localhost"] }, fetch_retries: 0 });
    expect((await failureOf(wary.fetchMessage(reference, Generator.generateData))).message).toMatch(
      /certificate/,
    );

    const service = await start(
      { GenerateData: (ctx, plane) => plane.publish(Generator.generateData, generated("sealed"), ctx) },
      { tls: { cert, key }, host: "localhost" },
    );
    const { output } = await service.execute("GenerateData");
    expect(output.metadata).toMatchObject({ tls: true });
    const ours = fetching({ peer_tls: { ca: cert } });
    expect(await ours.fetchMessage(output, Generator.generateData)).toMatchObject({ message: "sealed" });
  });
});

describe("a large result", () => {
  /** A service with one of two messages, and a proxy before it. */
  async function startLarge() {
    const service = await start(
      {
        GenerateData: (ctx, plane) =>
          plane.publish(Generator.generateData, [generated("a", 20_000), generated("b", 20_000)], ctx),
      },
      { max_message_bytes: 100_000 },
    );
    const { output } = await service.execute("GenerateData");
    const proxy = await startProxy(service.address);
    return { service, proxy, reference: { ...output, uri: proxy.address } };
  }

  it("comes piece by piece as it was published, or merged as one message", async () => {
    const { reference } = await startLarge();
    const plane = fetching();
    const pieces = [];
    for await (const piece of plane.fetchMessages(reference, Generator.generateData))
      pieces.push(piece.message);
    expect(pieces).toEqual(["a", "b"]);
    const whole = await plane.fetchMessage(reference, Generator.generateData);
    expect(whole).toMatchObject({ message: "b" });
    expect(whole.records).toHaveLength(40_000);
    const failure = await failureOf(
      fetching({ max_fetch_bytes: 2_000_000 }).fetchMessage(reference, Generator.generateData),
    );
    expect(failure.message).toBe(
      `Expected a result of at most 2000000 bytes from ${rpc} of ${reference.uri}, found more; take it piece by piece with fetchMessages, or raise max_fetch_bytes`,
    );
  });

  it("goes on where it was when the connection is cut", async () => {
    const { service, proxy, reference } = await startLarge();
    let passed = 0;
    proxy.watch = (bytes, connection) => {
      passed += bytes.length;
      return connection > 1 || passed < 1_500_000;
    };
    const found = await fetching().fetchMessage(reference, Generator.generateData);
    expect(found.records).toHaveLength(40_000);
    expect(proxy.connections).toBe(2);
    // What was there already did not come again.
    expect(passed).toBeLessThan(1.4 * Number(reference.size_bytes));
    expect(
      service.lines().filter(({ rpc: called }) => called === "aieffect.dataplane.v1.Results/Read").length,
    ).toBe(2);
  });

  it("goes on where it was when its service was stopped and started again", async () => {
    const data_dir = await tempFolder();
    const operations: Parameters<typeof start>[0] = {
      GenerateData: (ctx, plane) =>
        plane.publish(
          Generator.generateData,
          Array.from({ length: 20 }, () => generated("x".repeat(2 ** 20))),
          ctx,
        ),
    };
    const options = { data_dir, store: `sqlite:${data_dir}/tasks` };
    const before = await start(operations, {}, options);
    const { output } = await before.execute("GenerateData");
    let taken = 0;
    for await (const { message } of fetching({ fetch_backoff_ms: 50 }).fetchMessages(
      output,
      Generator.generateData,
    )) {
      expect(message).toHaveLength(2 ** 20);
      if (++taken > 1) continue;
      // It does not wait for a reader that takes nothing: the stream is cut.
      await before.close();
      await start(operations, { port: Number(before.address.split(":")[1]) }, options);
    }
    expect(taken).toBe(20);
  });

  it("is refused when it is not what the reference says", async () => {
    const { reference } = await startLarge();
    const plane = fetching();
    const checksum = `sha256:${"0".repeat(64)}`;
    expect(
      (await failureOf(plane.fetchMessage({ ...reference, checksum }, Generator.generateData))).message,
    ).toMatch(new RegExp(`^Expected checksum ${checksum} of ${rpc} from ${reference.uri}, found sha256:`));
    expect(
      (await failureOf(plane.fetchMessage({ ...reference, size_bytes: 7 }, Generator.generateData))).message,
    ).toMatch(new RegExp(`^Expected 7 bytes, as the reference says of ${rpc} from`));
  });

  it("is not sent any further when its reader stops", async () => {
    const service = await start({
      GenerateData: (ctx, plane) =>
        plane.publish(
          Generator.generateData,
          Array.from({ length: 40 }, () => generated("x".repeat(2 ** 20))),
          ctx,
        ),
    });
    const { output } = await service.execute("GenerateData");
    for await (const { message } of fetching().fetchMessages(output, Generator.generateData)) {
      expect(message).toHaveLength(2 ** 20);
      break;
    }
    await expect
      .poll(() => service.lines().findLast(({ msg }) => msg === "grpc call"))
      .toMatchObject({ rpc: "aieffect.dataplane.v1.Results/Read", status: "CANCELLED" });
  });
});

describe("a peer that sends chunks as it likes", () => {
  const chunk = (data: Buffer, offset: number) =>
    Buffer.from(Chunk.encode({ data, offset: BigInt(offset) }).finish());

  /** Chunks of these bytes, on and on; the test fails where nobody stops taking them. */
  function* endless(data: Buffer, most = 100_000_000) {
    for (let offset = 0; offset < most; offset += data.length) yield chunk(data, offset);
    throw new Error("Expected the reader to stop");
  }

  async function referenceTo(
    messages: Parameters<typeof startChunkPeer>[0],
    more: Partial<DataReference> = {},
  ) {
    const uri = await startChunkPeer(messages);
    const stream = "aieffect.dataplane.v1.Results/Read";
    const metadata = { workflow_id: "w", task_id: "t", stream };
    return { protocol: "grpc", uri, format: "GenerateData", metadata, ...more } as const;
  }

  it("is stopped at the size that its reference says, however much comes", async () => {
    const piece = delimit(Generator.generateData.responseSerialize(generated("x".repeat(20_000))));
    const reference = await referenceTo(() => endless(piece), { size_bytes: 3 * piece.length });
    let taken = 0;
    const take = async () => {
      for await (const _ of fetching().fetchMessages(reference, Generator.generateData)) taken++;
    };
    expect((await failureOf(take())).message).toBe(
      `Expected ${3 * piece.length} bytes, as the reference says of ${rpc} from ${reference.uri}, found more`,
    );
    expect(taken).toBe(3);
  });

  it("is stopped at max_fetch_bytes, also by messages without content", async () => {
    const reference = await referenceTo(() => endless(Buffer.alloc(100_000)));
    const plane = fetching({ max_fetch_bytes: 250_000 });
    expect((await failureOf(plane.fetchMessage(reference, Generator.generateData))).message).toMatch(
      /^Expected a result of at most 250000 bytes/,
    );
  });

  it("cannot keep a fetch going with chunks that have nothing in them", async () => {
    function* nothing() {
      for (;;) yield chunk(Buffer.alloc(0), 0);
    }
    const reference = await referenceTo(nothing);
    expect((await failureOf(fetching().fetchMessage(reference, Generator.generateData))).message).toBe(
      `Expected a chunk with data of ${rpc} from ${reference.uri}, found an empty one`,
    );
  });

  it("is not blamed for the time that the reader takes", async () => {
    const idle_ms = 400;
    const piece = delimit(Generator.generateData.responseSerialize(generated("x")));
    const resumed = gate();
    async function* twice() {
      yield chunk(piece, 0);
      await resumed.opened;
      yield chunk(piece, piece.length);
    }
    const reference = await referenceTo(twice);
    const plane = fetching({ fetch_idle_timeout_ms: idle_ms });
    let taken = 0;
    for await (const _ of plane.fetchMessages(reference, Generator.generateData)) {
      if (++taken > 1) continue;
      await pause(idle_ms + 50);
      resumed.open();
    }
    expect(taken).toBe(2);
  });

  it("is told of, with what it sent", async () => {
    const saying = async (...messages: Uint8Array[]) => {
      const reference = await referenceTo(() => messages);
      const { message } = await failureOf(fetching().fetchMessage(reference, Generator.generateData));
      return message.replace(` of ${rpc} from ${reference.uri}`, "");
    };
    expect(await saying(Buffer.alloc(9, 0xff))).toMatch(/^Expected a Chunk, found bytes that are none: /);
    expect(await saying(chunk(Buffer.alloc(9, 0xff), 0))).toBe(
      "Expected messages that can be taken, found Expected the length of a message, found bytes that are none",
    );
    expect(await saying(chunk(Buffer.from([3, 0xff, 0xff, 0xff]), 0))).toMatch(
      /^Expected a message of its response type, found /,
    );
    expect(await saying(chunk(Buffer.from([3, 1]), 0))).toBe(
      "Expected whole messages, found Expected whole messages, found that the last one is cut",
    );
    expect(await saying(chunk(Buffer.from([0]), 7))).toBe(
      "Expected the chunk from byte 0 on, found one from 7 on",
    );
  });
});

it("is told at once of certificates and keys that cannot be meant", async () => {
  if (needs("openssl", hasOpenssl())) return;
  const [{ cert, key }, other] = [await createCertificate(), await createCertificate()];
  const wrong: [ProtobufPlaneOptions, string][] = [
    [
      { tls: { cert: "x", key } },
      "tls.cert (GRPC_TLS_CERT_FILE) to be a certificate in PEM, got something else",
    ],
    [{ tls: { cert: key, key: cert } }, "tls.cert (GRPC_TLS_CERT_FILE) to be a certificate in PEM, got"],
    [{ tls: { cert, key: "" } }, "tls.key (GRPC_TLS_KEY_FILE) to be a private key in PEM without a pass"],
    [
      { tls: { cert, key: other.key } },
      "tls.key (GRPC_TLS_KEY_FILE) to belong to its certificate, got another's",
    ],
    [{ tls: { cert, key, client_ca: "x" } }, "tls.client_ca to be a certificate in PEM, got something else"],
    [{ peer_tls: { ca: "x" } }, "peer_tls.ca (GRPC_TLS_CA_FILE) to be a certificate in PEM, got something"],
    [{ peer_tls: { cert } }, "peer_tls.cert and peer_tls.key, got one of them"],
    [{ peer_tls: { cert, key: other.key } }, "peer_tls.key to belong to its certificate, got another's"],
  ];
  for (const [options, message] of wrong) {
    const made = () => createProtobufPlane(options);
    expect(made).toThrow(TypeError);
    expect(made).toThrow(`Expected ${message}`);
  }
  expect(() => fetching({ tls: { cert, key: key.toString(), client_ca: other.cert } })).not.toThrow();
});

async function createCertificate(): Promise<{ cert: Buffer; key: Buffer }> {
  const folder = await tempFolder();
  const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const made = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
  ];
  execFileSync("openssl", [...made, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert: await readFile(cert), key: await readFile(key) };
}

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
