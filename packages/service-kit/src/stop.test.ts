import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { defineOperation, sequentialService, serve } from "./index.ts";
import { start } from "./testing/start.ts";

/** Starts the built service as a user would: environment, process, log line. */
async function spawnService(env: Record<string, string> = {}) {
  const file = fileURLToPath(new URL("../dist/testing/slow-service.js", import.meta.url));
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, HOST: "127.0.0.1", PORT: "0", DATA_DIR: await tempFolder(), ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let log = "";
  child.stdout.on("data", (chunk) => {
    log += chunk;
  });
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  await expect.poll(() => log, { timeout: 10_000 }).toContain("listening");
  const url = /"url":"([^"]+)"/.exec(log)?.[1] as string;
  const execute = (method: string) =>
    fetch(`${url}/control/execute`, {
      method: "POST",
      body: JSON.stringify({ method, workflow_id: "w", task_id: method }),
    }).then((response) => response.json() as Promise<Record<string, unknown>>);
  return { child, url, exited, execute, log: () => log };
}

describe("SIGTERM", () => {
  it("lets a short call end, aborts a long one as retryable, and exits 0", async () => {
    const { child, url, exited, execute, log } = await spawnService();
    await execute("Slow");
    const watched = fetch(`${url}/control/status/Slow`, { headers: { accept: "text/event-stream" } });
    const short = execute("Short");
    await expect
      .poll(async () => (await fetch(`${url}/ready`)).json(), { interval: 20 })
      .toMatchObject({ running: 2 });
    child.kill("SIGTERM");
    expect(await short).toEqual({ status: "complete", output: null });
    expect(await (await watched).text()).toContain('"status":"running"');
    expect(await exited).toBe(0);
    expect(log()).toContain('"method":"Slow","status":"failed"');
    expect(log()).toContain("The service was stopped before the task ended");
  });
});

describe("a second signal", () => {
  it("aborts what runs at once, in an orderly way", async () => {
    const { child, exited, execute, log } = await spawnService();
    await execute("Slow");
    child.kill("SIGINT");
    await expect.poll(log).toContain("stopping");
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    expect(log()).toContain('"method":"Slow","status":"failed"');
  });
});

describe("a reader of the log that is gone", () => {
  it("keeps the service neither from working nor from stopping", async () => {
    const { child, exited, execute } = await spawnService();
    child.stdout.destroy();
    child.stderr.destroy();
    for (let round = 0; round < 3; round++) {
      expect(await execute("Short")).toEqual({ status: "complete", output: null });
    }
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
  });
});

describe("serve", () => {
  it("reads its environment", async () => {
    const { url, log } = await spawnService({
      SERVICE_API_KEY: "k",
      SELF_URL: "http://slow:8080/",
      LOG_LEVEL: "info",
    });
    expect((await fetch(`${url}/control/status/x`)).status).toBe(401);
    expect(log()).toContain('"self_url":"http://slow:8080"');
  });

  it("says which port is taken and what to do", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void taken.close());
    const port = (taken.address() as { port: number }).port;
    const service = sequentialService({
      operations: [defineOperation({ name: "A", sink: true, run: () => undefined })],
    });
    onTestFinished(() => service.close());
    await expect(serve(service, { host: "127.0.0.1", port })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken; set PORT to another one, or to 0 for a free one`,
    );
  });

  it("refuses options that make no sense, naming them", () => {
    const run = () => undefined;
    expect(() => sequentialService({ operations: [] })).toThrow("a list of at least one operation");
    expect(() =>
      sequentialService({
        operations: [
          { name: "A", run },
          { name: "A", run },
        ],
      }),
    ).toThrow("got A twice");
    expect(() => sequentialService({ operations: [{ name: "A", run }], max_running: 0 })).toThrow(
      "max_running",
    );
    expect(() => sequentialService({ operations: [{ name: "A", run }], self_url: "loader:8080" })).toThrow(
      "SELF_URL",
    );
  });

  it("survives callers that go away in the middle of everything", async () => {
    const echo = defineOperation({ name: "Echo", run: (ctx) => ctx.publish("{}", { format: "json" }) });
    const { url, execute, lines } = await start([echo]);
    for (let round = 0; round < 10; round++) {
      const controller = new AbortController();
      const call = fetch(`${url}/control/execute`, {
        method: "POST",
        body: JSON.stringify({ method: "Echo", workflow_id: "w", task_id: `t${round}` }),
        signal: controller.signal,
      });
      setTimeout(() => controller.abort(), round);
      await call.catch(() => undefined);
    }
    expect((await execute("Echo")).body).toMatchObject({ status: "complete" });
    expect(lines().filter(({ level }) => (level as number) >= 50)).toEqual([]);
  });
});

describe.skipIf(process.platform !== "linux")("a service of its own process", () => {
  it("goes on when nobody reads its log", async () => {
    const { child, url } = await spawnService({ LOG_LEVEL: "debug" });
    child.stdout.pause();
    const health = () =>
      fetch(`${url}/health`, { signal: AbortSignal.timeout(9000) }).then(
        ({ ok }) => ok,
        () => false,
      );
    // Far more lines than a pipe holds.
    for (let round = 0; round < 200; round++) {
      await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/control/status/${"x".repeat(200)}`)));
    }
    expect(await health()).toBe(true);
  });

  it("ends after a stop although an operation does not listen", async () => {
    const { child, exited, execute } = await spawnService();
    expect(await execute("Deaf")).toMatchObject({ status: "running" });
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
  });
});
