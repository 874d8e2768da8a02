import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { defineOperation } from "../index.ts";
import { gate, start } from "../testing/start.ts";
import { streamStatus } from "./event-stream.ts";

describe("streamStatus", () => {
  it("sends a comment line while nothing changes, and stops when the caller has gone (R-EVT-02)", async () => {
    const hold = gate();
    const held = defineOperation({ name: "Held", style: "concurrent", sink: true, run: () => hold.opened });
    const { service, execute } = await start([held]);
    await execute("Held");
    const { store, engine } = service.parts;
    const execution = await engine.find("task-1");
    let ended = false;
    const server = createServer((_request, response) => {
      const gone = new AbortController();
      response.once("close", () => gone.abort());
      const parts = { store, engine, gone: gone.signal, heartbeat_ms: 10 };
      streamStatus(response, execution, undefined, parts).finally(() => {
        ended = true;
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    let text = "";
    const call = get({ host: "127.0.0.1", port: (server.address() as AddressInfo).port }, (response) => {
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", () => {});
    });
    call.on("error", () => {});
    await expect.poll(() => text.match(/^:$/gm)?.length ?? 0).toBeGreaterThan(2);
    expect(text.startsWith('event: status\nid: 1\ndata: {"status":"running"')).toBe(true);
    call.destroy();
    await expect.poll(() => ended).toBe(true);
    hold.open();
  });
});
