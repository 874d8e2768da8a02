import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { needs } from "@aieffect/test-support";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram } from "../testing/programs.ts";
import { History } from "../wire/exchange.ts";
import { sendRaw } from "../wire/raw.ts";
import { type CallOptions, createWire } from "../wire/send.ts";
import { toReplay } from "./replay.ts";
import { createRedactor, type Secret } from "./secrets.ts";

const key = "s3cr'et-$(key)%41";
const secrets: Secret[] = [{ value: key, variable: "SERVICE_API_KEY" }];
const redactor = createRedactor(secrets);

/** A server that keeps the bytes of every connection, and answers once they look whole. */
const received: Buffer[] = [];
const sockets = new Set<Socket>();
const server = createServer((socket) => {
  sockets.add(socket);
  let bytes = Buffer.alloc(0);
  const at = received.push(bytes) - 1;
  socket.on("error", () => {});
  socket.on("data", (piece) => {
    bytes = Buffer.concat([bytes, piece]);
    received[at] = bytes;
    if (isWhole(bytes)) socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  });
});
let base_url = "";

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

function isWhole(bytes: Buffer): boolean {
  const head = bytes.indexOf("\r\n\r\n");
  if (head < 0) return false;
  const length = /^content-length: *(\d+)/im.exec(bytes.subarray(0, head).toString("latin1"))?.[1] ?? "0";
  return bytes.length >= head + 4 + Number(length);
}

/** The request as far as it has to be the same: not the order of its headers, nor whether the connection is kept. */
function essence(bytes: Buffer | undefined) {
  const all = bytes ?? Buffer.alloc(0);
  const head = all.indexOf("\r\n\r\n");
  const [line, ...headers] = all.subarray(0, head).toString("latin1").split("\r\n");
  return {
    line,
    headers: headers
      .map((header) => header.replace(/^[^:]*/, (name) => name.toLowerCase()).trimEnd())
      .filter((header) => !header.startsWith("connection:"))
      .sort(),
    body: all.subarray(head + 4).toString("latin1"),
  };
}

/** Runs a line as people do. */
async function shell(line: string): Promise<void> {
  const child = spawn("bash", ["-c", line], {
    env: { ...process.env, SERVICE_API_KEY: key },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk) => (errors += chunk));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${line}\nended with ${code}: ${errors}`);
}

async function sendAndReplay(call: CallOptions, token?: string) {
  const wire = createWire(new History(), { base_url, token, timeout_ms: 5000, caseId: () => "" });
  received.length = 0;
  const exchange = await wire.send(call);
  wire.close();
  const line = toReplay(exchange, { base_url, redactor });
  expect(line).not.toContain(key);
  await shell(line);
  return { line, sent: essence(received[0]), again: essence(received[1]) };
}

describe.skipIf(needs("curl", findProgram("curl")))("the curl line", () => {
  it.each<[string, CallOptions]>([
    ["a GET", { path: "/health" }],
    ["JSON", { method: "POST", path: "/control/execute", body: { method: "it's", x: "ü\n\u2028" } }],
    ["an empty body", { method: "POST", path: "/control/execute", body: "" }],
    ["a POST without a body", { method: "POST", path: "/control/cancel/x" }],
    ["a body that curl takes for a file", { method: "POST", path: "/x", body: "@/etc/hosts" }],
    [
      "NUL and bytes that are no UTF-8",
      { method: "POST", path: "/x", body: Buffer.from([0, 255, 10, 13, 39, 92, 37]) },
    ],
    ["a large body", { method: "POST", path: "/x", body: "[".repeat(1_100_000) }],
    ["a path to be left as it is", { path: "/control/status/../%2e%2E/a[1]{b}//c?d=e&f" }],
    ["a path with a fragment", { path: "/control/status/a?b#c" }],
    ["headers that are taken away", { path: "/x", headers: { accept: null, "user-agent": null } }],
    [
      "a media type that is taken away",
      { method: "POST", path: "/x", body: "x", headers: { "content-type": null } },
    ],
    ["a header twice, and an empty one", { path: "/x", headers: { "x-a": ["1", "2"], "x-b": "" } }],
    ["a key in the path and in the body", { method: "POST", path: "/x", body: `<${key}>` }],
    ["another method", { method: "OPTIONS", path: "/control/execute" }],
    ["DELETE with a body", { method: "DELETE", path: "/x", body: "{}" }],
  ])("sends %s again, byte for byte", async (_name, call) => {
    const { sent, again } = await sendAndReplay(call, key);
    expect(again).toEqual(sent);
  });

  it("sends keys again that nearly are the right one, without showing it", async () => {
    const plain = "Token-Of-The-Test-0123456789";
    const own = createRedactor([{ value: plain, variable: "SERVICE_API_KEY" }]);
    const nearMisses = [
      plain,
      plain.slice(0, -3),
      plain.slice(4),
      plain.toUpperCase(),
      plain.toLowerCase(),
      plain.replace(/[a-z]/gi, (one) => (one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase())),
      `${plain}x`,
      `x${plain}`,
      plain.replace("-Of-", "-On-"),
      Buffer.from(`user:${plain}`).toString("base64"),
      "something-else",
    ];
    for (const credential of nearMisses) {
      const pieces = own.headerPieces("authorization", `Bearer ${credential}`);
      const shown = own.header("authorization", `Bearer ${credential}`);
      expect(shown).not.toContain("0123456");
      const line = pieces
        .map((piece) => (typeof piece === "string" ? `'${piece}'` : `"${piece.shell}"`))
        .join("");
      const child = spawn("bash", ["-c", `printf %s ${line}`], {
        env: { ...process.env, SERVICE_API_KEY: plain },
      });
      let out = "";
      child.stdout.on("data", (chunk) => (out += chunk));
      await once(child, "close");
      expect(out).toBe(`Bearer ${credential}`);
    }
  });

  it("sends anything again", async () => {
    const text = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    const path = fc.stringMatching(/^\/[!-~]{0,20}$/);
    const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
    await fc.assert(
      fc.asyncProperty(text, path, value, async (body, target, header) => {
        const { sent, again } = await sendAndReplay({
          method: "POST",
          path: target,
          body,
          headers: { "x-any": header },
        });
        expect(again).toEqual(sent);
      }),
      { numRuns: 25 },
    );
  });

  it("says so when there is no line for what was sent", async () => {
    const body = Buffer.from(Array.from({ length: 40_000 }, (_, at) => (at * 7919 * (at % 251)) % 256));
    const history = new History();
    const wire = createWire(history, { base_url, timeout_ms: 5000, caseId: () => "" });
    const exchange = await wire.send({ method: "POST", path: "/x", body });
    wire.close();
    expect(toReplay(exchange, { base_url, redactor })).toMatch(/^# 40000 bytes were sent/);
    const line = toReplay(exchange, { base_url, redactor, bodyFile: "001-body.bin" });
    expect(line).toMatch(/^cat 001-body.bin \| curl .* --data-binary @-/);
  });
});

describe.skipIf(needs("nc", findProgram("nc")))("the line for a raw conversation", () => {
  it.each<[string, (string | Uint8Array | number)[]]>([
    ["text", ["GET /x%20'y' HTTP/1.1\r\nHost: a\r\nX: \\n%s\r\n\r\n"]],
    ["bytes", [Buffer.from("-POST /\0\xff HTTP/1.1\r\nHost: a\r\n\r\n", "latin1")]],
    ["pieces with a pause", ["GET / HTTP/1.1\r\n", 10, "Host: a\r\n\r\n"]],
    ["the key", [`GET / HTTP/1.1\r\nAuthorization: Bearer ${key}\r\n\r\n`]],
    ["much", [`GET /${"a".repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`]],
  ])("sends %s again, byte for byte", async (_name, write) => {
    received.length = 0;
    const { exchange } = await sendRaw(
      new History(),
      { base_url, timeout_ms: 5000, caseId: () => "" },
      { write, replies: 1 },
    );
    const line = toReplay(exchange, { base_url, redactor });
    expect(line).not.toContain(key);
    await shell(line);
    expect(received[1]?.toString("latin1")).toBe(received[0]?.toString("latin1"));
  });
});
