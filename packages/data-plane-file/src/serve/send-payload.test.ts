import { readdir, readlink, truncate, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type ControlError, formats, mediaTypeOf } from "@aieffect/control-interface";
import { tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { type SentPayload, sendPayload } from "../index.ts";

/** A server that sends this payload, and what became of each sending. */
async function serve(payload: SentPayload) {
  const outcomes: (ControlError | undefined)[] = [];
  const server = createServer((request, response) => {
    sendPayload(request, response, payload).then(
      () => outcomes.push(undefined),
      (error: ControlError) => {
        outcomes.push(error);
        if (!response.headersSent) response.writeHead(error.status).end();
      },
    );
  }).listen(0, "127.0.0.1");
  await until("the server", () => server.listening);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, outcomes };
}

function ask(port: number, method = "GET"): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", method }, resolve).on("error", reject).end();
  });
}

async function openFiles(): Promise<string[]> {
  const descriptors = await readdir("/proc/self/fd").catch(() => []);
  return Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
}

describe("sendPayload", () => {
  it.each(formats)("sends a file of %s with type and length", async (format) => {
    const path = join(await tempFolder(), "a");
    await writeFile(path, "payload");
    const { port } = await serve({ path, format, size_bytes: 7 });
    const response = await ask(port);
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      "content-type": mediaTypeOf(format),
      "content-length": "7",
      "x-content-type-options": "nosniff",
    });
    expect(String(await buffer(response))).toBe("payload");
    await until("the file to be closed", async () => !(await openFiles()).includes(path));
  });

  it("answers HEAD with the head alone", async () => {
    const path = join(await tempFolder(), "a");
    await writeFile(path, "payload");
    for (const payload of [
      { path, format: "csv" },
      { bytes: Buffer.from("payload"), format: "csv" },
    ] as const) {
      const { port, outcomes } = await serve(payload);
      const response = await ask(port, "HEAD");
      expect(response.headers).toMatchObject({ "content-type": "text/csv", "content-length": "7" });
      expect((await buffer(response)).length).toBe(0);
      await until("the sending to end", () => outcomes.length === 1);
      expect(outcomes).toEqual([undefined]);
    }
    expect(await openFiles()).not.toContain(path);
  });

  it("sends bytes, and nothing where there is nothing", async () => {
    const path = join(await tempFolder(), "a");
    await writeFile(path, "");
    for (const [payload, text] of [
      [{ bytes: Buffer.from("payload"), format: "json" }, "payload"],
      [{ bytes: Buffer.alloc(0), format: "json" }, ""],
      [{ path, format: "json" }, ""],
    ] as const) {
      const response = await ask((await serve(payload)).port);
      expect(response.headers["content-length"]).toBe(String(text.length));
      expect(String(await buffer(response))).toBe(text);
    }
  });

  it("sends nothing of a file that is missing or was changed", async () => {
    const path = join(await tempFolder(), "a");
    await writeFile(path, "payload");
    const missing = await serve({ path: `${path}x`, format: "csv" });
    expect((await ask(missing.port)).statusCode).toBe(404);
    expect(missing.outcomes[0]).toMatchObject({ code: "no_payload" });
    const changed = await serve({ path, format: "csv", size_bytes: 6 });
    expect((await ask(changed.port)).statusCode).toBe(500);
    expect(changed.outcomes[0]?.message).toBe(
      `Expected the payload ${path} to be 6 bytes, found 7: it was changed after it was published; run the task again`,
    );
  });

  it("closes the file when the client goes away", async () => {
    const path = join(await tempFolder(), "big");
    await writeFile(path, "");
    await truncate(path, 200 * 2 ** 20);
    const { port, outcomes } = await serve({ path, format: "binary" });
    const response = await ask(port);
    if (process.platform === "linux")
      await until("the file to be open", async () => (await openFiles()).includes(path));
    response.destroy();
    await until("the sending to end", () => outcomes.length === 1);
    expect(outcomes).toEqual([undefined]);
    expect(await openFiles()).not.toContain(path);
  });

  it("cuts the connection when the file shrinks meanwhile", async () => {
    const path = join(await tempFolder(), "big");
    await writeFile(path, "");
    await truncate(path, 200 * 2 ** 20);
    const { port, outcomes } = await serve({ path, format: "binary" });
    const response = await ask(port);
    await truncate(path, 10);
    await expect(buffer(response)).rejects.toThrow("aborted");
    await until("the sending to end", () => outcomes.length === 1);
    expect(outcomes[0]).toMatchObject({
      code: "internal",
      message: expect.stringContaining("it was changed"),
    });
  });
});
