import { until } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { defineOperation, sequentialService, serve } from "../index.ts";
import { connectRaw, type RawConnection, readAnswer } from "../testing/raw.ts";
import { doors, start } from "../testing/start.ts";

const sink = defineOperation({ name: "Sink", sink: true, run: () => undefined });
const post = (headers: string) => `POST /control/execute HTTP/1.1\r\nhost: a\r\n${headers}\r\n\r\n`;
const call = JSON.stringify({ method: "Sink", workflow_id: "w", task_id: "t" });
const whole = post(`content-length: ${call.length}`) + call;

/** Sends a piece again and again, until the connection is closed. */
async function trickle(raw: RawConnection, piece: string): Promise<string> {
  const timer = setInterval(() => raw.send(piece), 20);
  try {
    return await raw.closed();
  } finally {
    clearInterval(timer);
  }
}

describe("a head", () => {
  const listen = { headers_timeout_ms: 100 };
  const detail = "Expected the request to come without pauses, found it incomplete when its time was over";

  it.each([
    ["does not come at all", ""],
    ["stands still", "GET /health HTTP/1.1\r\nhost"],
  ])("that %s is answered 408 in time, and the connection closed", async (_, text) => {
    const { url } = await start([sink], { listen });
    const raw = await connectRaw(url);
    raw.send(text);
    const { status, body } = readAnswer(await raw.closed());
    expect([status, JSON.parse(body)]).toEqual([408, { detail }]);
  });

  it("that comes drop by drop is answered 408, too, however long that goes on", async () => {
    const { url } = await start([sink], { listen });
    const raw = await connectRaw(url);
    raw.send("GET /health HTTP/1.1\r\nhost: a\r\n");
    expect(readAnswer(await trickle(raw, "x: y\r\n")).status).toBe(408);
  });

  it("does not have to come in time on a connection that waits for its next call", async () => {
    const { url } = await start([sink], { listen });
    const raw = await connectRaw(url);
    raw.send(whole);
    await raw.shows("complete");
    const late = await connectRaw(url);
    await late.closed();
    raw.send(whole);
    await until("a second answer", () => raw.received().split("complete").length === 3);
  });

  it("that is too large is answered 431", async () => {
    const { url } = await start([sink], { listen: { max_header_bytes: 2000 } });
    const raw = await connectRaw(url);
    raw.send(`GET /health HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(100_000)}\r\n\r\n`);
    const { status, body } = readAnswer(await raw.closed());
    expect(status).toBe(431);
    expect(body).toContain("max_header_bytes");
    const fits = await connectRaw(url);
    fits.send(`GET /health HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(1000)}\r\n\r\n`);
    expect(readAnswer(await fits.shows("ok")).status).toBe(200);
  });
});

describe.each(doors.slice(0, 2))("a body behind %s", (door) => {
  it.each([
    ["stands still", "content-length: 100", ""],
    ["comes drop by drop", "content-length: 100000", " "],
    ["comes drop by drop in chunks", "transfer-encoding: chunked", "1\r\n \r\n"],
  ])("that %s is answered 408 in time, and the connection closed (R-LIMIT-02)", async (_, headers, piece) => {
    const { url, lines } = await start([sink], { door, body_timeout_ms: 100 });
    const raw = await connectRaw(url);
    raw.send(post(headers));
    const answer = readAnswer(await trickle(raw, piece));
    expect(answer.status).toBe(408);
    expect(answer.headers.connection).toBe("close");
    expect(answer.body).toContain("Expected the whole body within 100 ms, found ");
    expect(lines().at(-1)).toMatchObject({ code: "request_timeout", http_status: 408 });
  });

  it("that is too large is refused at once where its head says so, else where it is (R-EXEC-14)", async () => {
    const { url } = await start([sink], { door, max_body_bytes: 1000 });
    const announced = await connectRaw(url);
    announced.send(post("content-length: 1001"));
    expect(await announced.shows("1001 announced")).toContain("413 Payload Too Large");
    const chunked = await connectRaw(url);
    chunked.send(`${post("transfer-encoding: chunked")}3e9\r\n${" ".repeat(1001)}\r\n`);
    expect(await chunked.shows("found more")).toContain("413 Payload Too Large");
  });

  it("that nobody wants does not take the answer from who still sends it", async () => {
    const { url } = await start([sink], { door, max_body_bytes: 1000, body_timeout_ms: 300 });
    const raw = await connectRaw(url);
    raw.send(post("content-length: 8000000"));
    raw.send(Buffer.alloc(8_000_000, 32));
    const { status, headers } = readAnswer(await raw.closed());
    expect([status, headers.connection]).toEqual([413, "close"]);
  });

  it("that nobody wants is skipped where it is short, and the next call answered", async () => {
    const { url } = await start([sink], { door, api_key: "k" });
    const raw = await connectRaw(url);
    raw.send(post("content-length: 2000"));
    await raw.shows("Unauthorized");
    raw.send(`${" ".repeat(2000)}GET /health HTTP/1.1\r\nhost: a\r\n\r\n`);
    expect(await raw.shows('{"status":"ok"}')).toContain("401 Unauthorized");
  });

  it("that nobody wants and that does not come ends the connection", async () => {
    const { url } = await start([sink], { door, api_key: "k", body_timeout_ms: 100 });
    const raw = await connectRaw(url);
    raw.send(post("content-length: 2000"));
    expect(readAnswer(await raw.closed()).status).toBe(401);
  });
});

describe("a body that a parser of the app has read", () => {
  it.each([
    ["in chunks", { "transfer-encoding": "chunked" }],
    ["at once", {}],
  ])("%s has to keep to the limit as well (R-EXEC-14)", async (_, headers) => {
    const { url } = await start([sink], { door: "router behind express.json()", max_body_bytes: 1000 });
    const send = async (size: number) => {
      const body = JSON.stringify({ method: "Sink", workflow_id: "w", task_id: "x".repeat(size) });
      const raw = await connectRaw(url);
      const type = "content-type: application/json\r\n";
      if ("transfer-encoding" in headers) {
        raw.send(post(`${type}transfer-encoding: chunked`));
        raw.send(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
      } else raw.send(post(`${type}content-length: ${body.length}`) + body);
      return readAnswer(await raw.shows("}")).status;
    };
    expect([await send(500), await send(1000)]).toEqual([200, 413]);
  });
});

describe("max_connections", () => {
  it("closes those that are too many, says so once, and takes others when there is room", async () => {
    const { url, lines } = await start([sink], { listen: { max_connections: 2 } });
    const held = [await connectRaw(url), await connectRaw(url)];
    for (const raw of held) {
      raw.send(whole);
      await raw.shows("complete");
    }
    for (let round = 0; round < 3; round++) {
      const refused = await connectRaw(url);
      expect(await refused.closed()).toBe("");
    }
    expect(lines().filter(({ msg }) => String(msg).startsWith("connections are refused"))).toMatchObject([
      { max_connections: 2 },
    ]);
    held[0]?.end();
    await until("room for another connection", async () => {
      const raw = await connectRaw(url);
      raw.send(whole);
      return Promise.race([raw.shows("complete"), raw.closed().then(() => false)]);
    });
  });
});

it.each([
  [{ headers_timeout_ms: 0 }, "headers_timeout_ms to be above 0"],
  [{ headers_timeout_ms: 2 ** 31 }, "headers_timeout_ms to be above 0 and below 2^31"],
  [{ max_header_bytes: 0.5 }, "max_header_bytes to be an integer of at least 1"],
  [{ max_connections: 0 }, "max_connections to be an integer of at least 1"],
])("serve() refuses %j", async (options, message) => {
  const service = sequentialService({ operations: [sink], log_level: "silent" });
  await expect(serve(service, options)).rejects.toThrow(message);
  await service.close();
});
