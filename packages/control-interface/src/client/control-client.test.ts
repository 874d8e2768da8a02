import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHostPolicy } from "../hosts/host-policy.ts";
import { parsePythonJson } from "../reading/python-json.ts";
import { ControlClient, type ControlClientOptions } from "./control-client.ts";

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage["headers"];
  body: string;
  socket: number | undefined;
}

async function start(answer: RequestListener, options: Partial<ControlClientOptions> = {}) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const { method, url, headers } = request;
      seen.push({ method, url, headers, body, socket: request.socket.remotePort });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new ControlClient({ base_url: `http://127.0.0.1:${port}`, ...options });
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return { client, seen, port };
}

const json =
  (body: unknown, status = 200, headers = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
  };

const call = { method: "Load", workflow_id: "wf-1", task_id: "task-1" };
const complete = { status: "complete", output: { protocol: "file", uri: "/a", format: "csv" } };

describe("ControlClient", () => {
  it("sends what the deployed orchestrator sends, over one connection", async () => {
    const { client, seen } = await start(json(complete), { api_key: "s3cret" });
    const inputs = [{ protocol: "file", uri: "/raw.csv", format: "csv" } as const];
    expect(await client.execute({ ...call, inputs }, { idempotency_key: "k1", wait_s: 3 })).toEqual({
      status: "complete",
      output: { protocol: "file", uri: "/a", format: "csv", metadata: {} },
    });
    await client.execute(call, { traceparent: "00-aa-bb-01" });
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({
      ...call,
      inputs: [
        {
          protocol: "file",
          uri: "/raw.csv",
          format: "csv",
          schema_uri: null,
          size_bytes: null,
          checksum: null,
          metadata: {},
        },
      ],
    });
    expect(seen[0]?.headers).toMatchObject({
      authorization: "Bearer s3cret",
      "content-type": "application/json",
      "idempotency-key": "k1",
      prefer: "wait=3",
    });
    expect(seen[1]?.headers.traceparent).toBe("00-aa-bb-01");
    expect(seen[1]?.socket).toBe(seen[0]?.socket);
  });

  it("names what a call belongs to, as far as a header can carry the name (R-LOG-02)", async () => {
    const { client, seen } = await start(json({ status: "running", progress: 5 }));
    const sent = async (correlation_id: string) => {
      await client.status("t", { correlation_id });
      return seen.at(-1)?.headers["x-correlation-id"];
    };
    expect(await sent("run 7/100%")).toBe("run 7/100%");
    expect(await sent("Prüfung\r\nx: 1")).toBe("Pr%C3%BCfung%0D%0Ax%3A%201");
    expect(await sent("\ud800")).toBe("%EF%BF%BD");
    expect(await sent("x".repeat(256))).toBe("x".repeat(256));
    for (const none of ["", " ", "x".repeat(257), "ü".repeat(43)]) expect(await sent(none)).toBeUndefined();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (id) => {
        expect((await sent(id)) ?? "x").toMatch(/^[\x21-\x7e](.{0,254}[\x21-\x7e])?$/);
      }),
      { numRuns: 15 },
    );
  });

  it("pastes a handle into the path as it is, and encodes what would leave the path", async () => {
    const { client, seen } = await start(json({ status: "running", progress: 5 }));
    for (const id of ["wf1:task_1", "a/b?c#d", "é", "\ud800"]) await client.status(id);
    expect(seen.map(({ url }) => url)).toEqual([
      "/control/status/wf1:task_1",
      "/control/status/a%2Fb%3Fc%23d",
      "/control/status/%C3%A9",
      "/control/status/%EF%BF%BD",
    ]);
    await expect(client.status("..")).rejects.toMatchObject({ code: "invalid_reply" });
  });

  it("says whether a status was held back, and whether a lost task can be sent again", async () => {
    const held = await start(
      json({ status: "failed", error: "lost", retryable: true }, 200, { "Preference-Applied": "wait=2" }),
    );
    expect(await held.client.status("t", { wait_s: 2 })).toEqual({
      reading: { status: "failed", error: "lost" },
      waited: true,
      retryable: true,
    });
    const plain = await start(json({ status: "running" }));
    expect(await plain.client.status("t", { wait_s: 2 })).toMatchObject({ waited: false, retryable: false });
    const told = await start(json({ status: "running", progress: 5, message: "epoch 1 of 20" }));
    expect(await told.client.status("t")).toMatchObject({ message: "epoch 1 of 20" });
  });

  it("says when a sequential task was lost and can be sent again", async () => {
    const lost = { status: "failed", error: "lost", retryable: true };
    expect(await (await start(json(lost))).client.execute(call)).toEqual(lost);
    const failed = { status: "failed", error: "boom", retryable: "yes" };
    expect(await (await start(json(failed))).client.execute(call)).toEqual({
      status: "failed",
      error: "boom",
    });
  });

  it("fetches outputs, keeping their metadata", async () => {
    const output = { protocol: "http", uri: "http://h/x", format: "json", metadata: { a: { b: [1] } } };
    const { client } = await start(json({ output }));
    expect(await client.output("t")).toEqual(output);
  });

  it("hands on metadata with every number as it came (R-REF-16)", async () => {
    const numbers = fc.oneof(
      fc.bigInt().map(String),
      fc.maxSafeInteger().map((value) => `${value}.0`),
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .filter((value) => !Number.isInteger(value))
        .map(String),
      fc.constantFrom("-0.0", "1E5", "true", "null", '"\\ud800\\u0000"'),
    );
    const { value: metadata } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
      value: fc.oneof({ depthSize: "small" }, numbers, tie("list"), tie("object")),
      list: fc.array(tie("value"), { maxLength: 4 }).map((values) => `[${values.join(" ,")}]`),
      object: fc
        .dictionary(fc.string(), tie("value"), { maxKeys: 4 })
        .map(
          (members) =>
            `{${Object.entries(members).map(([key, value]) => `${JSON.stringify(key)}: ${value}`)}}`,
        ),
    }));
    let text = "";
    const { client, seen } = await start((request, response) => {
      const output = `{"protocol":"file","uri":"/a","format":"csv","metadata":{"m":${text}}}`;
      response.end(request.method === "POST" ? '{"status":"complete"}' : `{"output":${output}}`);
    });
    await fc.assert(
      fc.asyncProperty(metadata, async (given) => {
        text = given;
        const plain = { protocol: "inline", uri: "MQ==", format: "json", metadata: { n: 2 } } as const;
        const output = await client.output("t");
        await client.execute({ ...call, inputs: [plain, output] });
        const sent = parsePythonJson(seen.at(-1)?.body ?? "") as { inputs: { metadata: unknown }[] };
        expect(sent.inputs.map((input) => input.metadata)).toEqual([
          { n: 2n },
          { m: parsePythonJson(given) },
        ]);
        expect(output.metadata).toEqual({ m: JSON.parse(given) });
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    [
      "a refusal with its words",
      json({ detail: "Unknown method: Load" }, 400),
      "peer_refused",
      "answered 400: Unknown method: Load",
    ],
    ["a refusal without words", json("", 503, { "Retry-After": "2" }), "peer_refused", "answered 503"],
    ["another status word", json({ status: "completed" }), "invalid_reply", 'found "completed" (R-READ-05)'],
    ["no JSON", json("<html>", 200), "invalid_reply", "Expected JSON in the answer (HTTP 200)"],
    ["a redirect without a body", json("", 307, { Location: "/x" }), "invalid_reply", "HTTP 307"],
    ["a connection that is cut", (request) => request.socket.destroy(), "unreachable", "ECONNRESET"],
  ] satisfies [string, RequestListener, string, string][])(
    "rejects %s",
    async (_name, answer, code, text) => {
      const { client } = await start(answer);
      const error = await client.execute(call).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
    },
  );

  it.each([
    ["in a refusal", json({ detail: `${"x".repeat(490)}s3cret-canary` }, 400)],
    ["in a value that is wrong", json({ status: `${"x".repeat(70)}s3cret-canary` })],
    ["in what is no JSON", json("s3cret-canary")],
  ])(
    "never repeats its own key, not even the part before a cut, that a service sends back %s",
    async (_name, answer) => {
      const { client } = await start(answer, { api_key: "s3cret-canary" });
      const error = (await client.execute(call).catch((thrown: unknown) => thrown)) as Error & {
        detail: unknown;
      };
      expect(error.message).toMatch(/repeats the caller's key|\[redac/);
      expect(
        error.message + String(error.detail) + String((error.cause as Error | undefined)?.message),
      ).not.toContain("s3cr");
    },
  );

  it("keeps the peer's status and Retry-After", async () => {
    const { client } = await start(json({ detail: "busy" }, 503, { "Retry-After": "2" }));
    await expect(client.execute(call)).rejects.toMatchObject({ peer_status: 503, retry_after_s: 2 });
  });

  it("gives up after the call's time limit, and when told to", async () => {
    const { client } = await start(() => {}, { call_timeout_ms: 30 });
    await expect(client.health()).rejects.toMatchObject({ code: "timeout" });
    const controller = new AbortController();
    const { client: patient, seen } = await start(() => controller.abort());
    await expect(patient.execute(call, { signal: controller.signal })).rejects.toMatchObject({
      code: "aborted",
    });
    expect(seen).toHaveLength(1);
    await expect(patient.execute(call, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "aborted",
    });
    expect(seen).toHaveLength(1);
  });

  it("reads an answer that is packed", async () => {
    const { client } = await start((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(JSON.stringify(complete)));
    });
    expect((await client.execute(call)).status).toBe("complete");
  });

  it("refuses an answer that is too large", async () => {
    const { client } = await start(json("x".repeat(2000)), { max_reply_bytes: 1000 });
    await expect(client.execute(call)).rejects.toThrow("expected an answer of at most 1000 bytes");
  });

  it("says what to look at when nobody listens", async () => {
    const { client, port } = await start(json(""));
    const elsewhere = new ControlClient({ base_url: `http://127.0.0.1:${port}/` });
    onTestFinished(() => elsewhere.close());
    await expect(new ControlClient({ base_url: "http://127.0.0.1:1" }).health()).rejects.toMatchObject({
      code: "unreachable",
      message:
        "GET http://127.0.0.1:1/health: nothing listens there; is the service started, and is this its port? (ECONNREFUSED)",
    });
    client.close();
  });

  it("does not call hosts that the policy refuses", async () => {
    const client = new ControlClient({ base_url: "http://169.254.169.254", hosts: createHostPolicy() });
    await expect(client.health()).rejects.toThrow("link-local and metadata addresses are never called");
  });

  it("wants an http URL", () => {
    expect(() => new ControlClient({ base_url: "loader:8080" })).toThrow(TypeError);
  });
});
