import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { History } from "./exchange.ts";
import { type RawCall, sendRaw, splitReplies } from "./raw.ts";

/** A peer that speaks bytes; `answer` sees the sockets of callers. */
async function peer(answer: (socket: Socket) => void) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const history = new History();
  const call = (call: RawCall) => sendRaw(history, { base_url, timeout_ms: 2000, caseId: () => "R08" }, call);
  return { call, history };
}

describe("raw conversations", () => {
  it("tell replies apart and what is left behind them", async () => {
    const { call } = await peer((socket) => {
      socket.end(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nrest",
      );
    });
    const { replies, rest, ended } = await call({ write: ["GET / HTTP/1.1\r\n\r\n"] });
    expect(replies.map(({ status, body }) => [status, body.toString()])).toEqual([
      [200, "ab"],
      [404, "x"],
    ]);
    expect([rest.toString(), ended]).toEqual(["rest", "closed"]);
  });

  it("send bytes many times over without keeping them", async () => {
    let received = 0;
    const { call, history } = await peer((socket) => {
      socket.on("data", (piece) => {
        received += piece.length;
        if (received === 3 + 8 * 2 ** 20) socket.end("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
      });
    });
    const { replies } = await call({
      write: ["abc", { bytes: Buffer.alloc(2 ** 20, "a"), times: 8 }],
      replies: 1,
    });
    expect(replies.map(({ status }) => status)).toEqual([413]);
    expect(history.exchanges[0]?.request.method).toBe("abc");
    expect(history.exchanges[0]?.request.body.length).toBe(0);
  });

  it("end where a reply has no end, and keep its beginning", async () => {
    const piece = Buffer.alloc(2 ** 20, "a");
    const { call, history } = await peer((socket) => {
      const more = () => {
        while (!socket.destroyed && socket.write(piece));
      };
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.on("drain", more);
      more();
    });
    const { ended, exchange } = await call({
      write: ["GET / HTTP/1.1\r\n\r\n"],
      replies: 1,
      timeout_ms: 60_000,
    });
    expect([ended, exchange.silence?.message]).toEqual(["timeout", "no end within 68157440 bytes"]);
    expect(history.exchanges[0]?.received?.length).toBe(2 ** 16);
  });

  it("read a long reply whole", async () => {
    const long = Buffer.alloc(20 * 2 ** 20, "a");
    const { call } = await peer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${long.length}\r\n\r\n`);
      socket.write(long);
    });
    const { ended, exchange } = await call({
      write: ["GET / HTTP/1.1\r\n\r\n"],
      replies: 1,
      timeout_ms: 60_000,
    });
    expect([ended, exchange.reply?.body.equals(long)]).toEqual(["replied", true]);
  });

  it("half-close, and say when nothing comes", async () => {
    const { call } = await peer((socket) => {
      socket.on("end", () => socket.write("half")).resume();
    });
    const { bytes, ended, replies } = await call({ write: ["x"], end: true, timeout_ms: 150 });
    expect([bytes.toString(), ended, replies]).toEqual(["half", "timeout", []]);
  });

  it("say what is wrong with a head whose lines end in LF alone", async () => {
    const { call } = await peer((socket) => {
      socket.on("data", () => socket.end("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"));
    });
    const { exchange } = await call({ write: ["GET / HTTP/1.1\r\n\r\n"], replies: 1 });
    expect(exchange.silence).toEqual({
      kind: "malformed",
      message: "lines that end in LF alone, where HTTP has CR LF",
    });
  });

  it("pass over 100 Continue", () => {
    const bytes = Buffer.from("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
    expect(splitReplies(bytes, false).replies.map(({ status }) => status)).toEqual([204]);
  });
});
