import { createHash, randomBytes } from "node:crypto";
import { readFile, truncate } from "node:fs/promises";
import { createServer, get, type IncomingMessage, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { createInlineReference, type DataReference } from "@aieffect/control-interface";
import { tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { defineOperation, type Input } from "./index.ts";
import { doors, start } from "./testing/start.ts";

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/payload`;
}

describe.each(doors)("a payload behind %s", (door) => {
  const text = "0123456789";
  const give = defineOperation({
    name: "Give",
    run: (ctx) => ctx.publish(text, { format: "csv", as: ctx.parameters.as as "http" }),
    allow_empty_csv: true,
  });

  it.each(["http", "inline"])("published as %s is sent in ranges (R-DATA-05, R-DATA-06)", async (as) => {
    const { execute, call } = await start([give], { door });
    await execute("Give", { parameters: { as } });
    const ask = (headers: Record<string, string>, method = "GET") =>
      call("/control/data/task-1", { headers, method });

    const whole = await ask({});
    const etag = whole.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"sha256:84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882/);
    expect([whole.status, whole.body, whole.headers.get("accept-ranges")]).toEqual([200, text, "bytes"]);

    const part = await ask({ range: "bytes=3-5", "if-range": etag });
    expect([part.status, part.body, part.headers.get("content-range")]).toEqual([206, "345", "bytes 3-5/10"]);
    expect((await ask({ range: "bytes=3-5" }, "HEAD")).headers.get("content-length")).toBe("3");
    expect((await ask({ "if-none-match": etag })).status).toBe(304);

    const behind = await ask({ range: "bytes=10-" });
    expect([behind.status, behind.headers.get("content-range")]).toEqual([416, "bytes */10"]);
    expect(behind.body).toEqual({
      detail:
        "Expected a range of the payload's 10 bytes, found bytes=10-; ask for one that begins before its end",
    });
  });
});

it("cuts a client that takes nothing of a payload for transfer_idle_timeout_ms", async () => {
  const large = defineOperation({
    name: "Large",
    async run(ctx) {
      const path = join(await ctx.folder(), "large.bin");
      await ctx.publish("", { format: "binary", name: "large.bin" });
      await truncate(path, 64 * 2 ** 20);
      return ctx.publish({ path }, { format: "binary" });
    },
  });
  const { url, execute, lines } = await start([large], { transfer_idle_timeout_ms: 60 });
  await execute("Large");
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {}).write("GET /control/data/task-1 HTTP/1.1\r\nhost: x\r\n\r\n");
  const line = await until("the log", () => lines().find(({ code }) => code === "request_timeout"));
  expect(line).toMatchObject({ path: "/control/data/task-1", error: expect.stringContaining("0.06 s") });
});

describe("an input", () => {
  const payload = json({ rows: randomBytes(50_000).toString("hex") });
  const damaged = Buffer.from(payload);
  damaged[20_000] = damaged[20_000] === 48 ? 49 : 48;

  /** Reads the payload in one way, and publishes the checksum of what it got. */
  const read = (how: (input: Input) => Promise<Uint8Array>) =>
    defineOperation({
      name: "Read",
      input: { formats: ["binary"] },
      async run(ctx) {
        const bytes = await how(ctx.inputs[0] as Input);
        const seen = { checksum: sha256(bytes) };
        return ctx.publish(JSON.stringify(seen), { format: "json", as: "inline" });
      },
    });
  const ways: [string, (input: Input) => Promise<Uint8Array>][] = [
    ["path()", async (input) => readFile(await input.path())],
    ["bytes()", (input) => input.bytes()],
    ["text()", async (input) => Buffer.from(await input.text())],
    ["json()", async (input) => json(await input.json())],
    ["stream({ verified: true })", async (input) => untilClosed(await input.stream({ verified: true }))],
  ];
  /** The copy goes when the stream is closed. */
  async function untilClosed(stream: Awaited<ReturnType<Input["stream"]>>) {
    const bytes = await buffer(stream);
    await until("the stream to be closed", () => stream.closed);
    return bytes;
  }
  const outputOf = (body: unknown) => {
    const { output } = body as { output: DataReference };
    return JSON.parse(Buffer.from(output.uri, "base64").toString());
  };
  const referTo = (uri: string): DataReference => ({
    protocol: "http",
    uri,
    format: "binary",
    checksum: sha256(payload),
  });

  it.each(ways)("that came damaged is fetched again for %s", async (_name, how) => {
    let calls = 0;
    const uri = await serve((_request, response) => response.end(calls++ === 0 ? damaged : payload));
    const { execute, lines } = await start([read(how)]);
    const { body } = await execute("Read", { inputs: [referTo(uri)] });
    expect(outputOf(body).checksum).toBe(sha256(payload));
    expect(calls).toBe(2);
    expect(lines().find(({ msg }) => msg === "fetching an input goes on")).toMatchObject({
      level: 40,
      workflow_id: "wf-1",
      task_id: "task-1",
      method: "Read",
      status: "running",
      duration_ms: expect.any(Number),
      attempt: 1,
      offset: 0,
      reason: expect.stringContaining(`to have checksum ${sha256(payload)}, found ${sha256(damaged)}`),
    });
  });

  it("that came damaged fails a plain stream, with what to use instead", async () => {
    const uri = await serve((_request, response) => response.end(damaged));
    const { execute } = await start([read(async (input) => buffer(await input.stream()))]);
    expect((await execute("Read", { inputs: [referTo(uri)] })).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining("use stream({ verified: true }) or path() of an input"),
    });
  });

  it("that stays damaged fails the task", async () => {
    let calls = 0;
    const uri = await serve((_request, response) => {
      calls++;
      response.end(damaged);
    });
    const { execute } = await start([read((input) => input.bytes())], { fetch_retries: 1 });
    expect((await execute("Read", { inputs: [referTo(uri)] })).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining("produce it again (tried 2 times)"),
    });
    expect(calls).toBe(2);
  });

  it("of another kit service goes on where it was cut, key and signed URL included", async () => {
    const bytes = randomBytes(3 * 2 ** 20);
    const give = defineOperation({ name: "Give", run: (ctx) => ctx.publish(bytes, { format: "binary" }) });
    const source = await start([give], { api_key: "secret-of-the-source" });
    const headers = { authorization: "Bearer secret-of-the-source" };
    const { output } = (await source.execute("Give", {}, headers)).body as { output: DataReference };
    const ranges: (string | undefined)[] = [];
    // Between the two: cuts the first answer in its middle.
    const between = await serve((request, response) => {
      ranges.push(request.headers.range);
      const target = new URL(request.url ?? "/", source.url);
      get(target, { headers: { ...request.headers, connection: "close" } }, (answer: IncomingMessage) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        if (ranges.length > 1) return answer.pipe(response);
        let passed = 0;
        answer.on("data", (chunk) => {
          passed += chunk.length;
          response.write(chunk, () => passed > bytes.length / 2 && response.destroy());
        });
      });
    });
    const { execute, lines } = await start([read(async (input) => buffer(await input.stream()))]);
    const { pathname, search } = new URL(output.uri);
    const uri = new URL(pathname + search, between).href;
    const { body } = await execute("Read", { inputs: [{ ...output, uri }] });
    expect(outputOf(body).checksum).toBe(sha256(bytes));
    const [first, second, ...more] = ranges;
    expect([first, more]).toEqual([undefined, []]);
    const line = lines().find(({ msg }) => msg === "fetching an input goes on");
    expect(second).toBe(`bytes=${line?.offset}-`);
    expect(Number(line?.offset)).toBeGreaterThan(0);
    // What signs a URL is as good as a key.
    expect(JSON.stringify(lines())).not.toContain("signature=");
  });

  it("that is given up in the middle of a wait ends with the task", async () => {
    let calls = 0;
    const uri = await serve((_request, response) => {
      calls++;
      response.writeHead(503, { "retry-after": "10" }).end();
    });
    const operation = { ...read((input) => input.bytes()), style: "concurrent" as const };
    const { execute, call, service } = await start([operation]);
    await execute("Read", { inputs: [referTo(uri)] });
    await until("the first attempt", () => calls === 1);
    expect((await call("/control/cancel/task-1", { method: "POST" })).body).toMatchObject({
      error: "Cancelled",
    });
    await until("the operation to be over", () => service.parts.engine.queue.running === 0, 5000);
  });

  it("that drips fails its task after fetch_timeout_ms", async () => {
    const uri = await serve((_request, response) => {
      const timer = setInterval(() => response.write("x"), 5);
      response.on("close", () => clearInterval(timer));
    });
    const read = defineOperation({
      name: "Read",
      sink: true,
      run: ({ inputs }) => inputs[0]?.path() as never,
    });
    const { execute } = await start([read], { fetch_timeout_ms: 100 });
    const { body } = await execute("Read", { inputs: [{ protocol: "http", uri, format: "binary" }] });
    expect(body).toMatchObject({
      status: "failed",
      error: expect.stringMatching(/expected all of it within 0\.1 s, found \d+ bytes by then/),
    });
  });

  it("that is inline or a file is streamed verified as well", async () => {
    const folder = await tempFolder();
    const give = defineOperation({
      name: "Give",
      run: (ctx) => ctx.publish(payload, { format: "binary", as: "file" }),
    });
    const source = await start([give], { data_dir: folder });
    const { output } = (await source.execute("Give")).body as { output: DataReference };
    const { execute } = await start(
      [read(async (input) => untilClosed(await input.stream({ verified: true })))],
      {
        data_roots: [folder],
      },
    );
    for (const input of [output, createInlineReference(payload, "binary")]) {
      expect(outputOf((await execute("Read", { inputs: [input] })).body).checksum).toBe(sha256(payload));
    }
  });
});
