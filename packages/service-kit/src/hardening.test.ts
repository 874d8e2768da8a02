/** What a service has to survive: odd operations, odd callers, odd surroundings. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createInlineReference, judgeReply } from "@aieffect/control-interface";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { createMemoryStore, defineOperation, sequentialService } from "./index.ts";
import { createExecution } from "./tasks/execution.ts";
import { gate, start } from "./testing/start.ts";

type Body = { status: string; error: string; task_id: string; output: { uri: string; format: string } };

function hostileError(): Error {
  const error = new Error("boom");
  Object.defineProperty(error, "code", {
    enumerable: true,
    get() {
      throw new Error("not even this");
    },
  });
  return error;
}

describe("an operation that throws", () => {
  it.each([
    ["an object without a prototype", () => Object.create(null)],
    ["an error whose message is no text", () => Object.assign(new Error(), { message: { code: 5 } })],
    ["an error with a hostile getter", hostileError],
    ["a symbol", () => Symbol("odd")],
    [
      "a proxy that throws",
      () =>
        new Proxy(
          {},
          {
            get: () => {
              throw new Error("no");
            },
            getPrototypeOf: () => {
              throw new Error("no");
            },
          },
        ),
    ],
  ])("%s is failed in both styles, and its place is free again", async (_name, make) => {
    const run = () => {
      throw make();
    };
    const { execute, call } = await start([
      defineOperation({ name: "Now", run }),
      defineOperation({ name: "Later", style: "concurrent", run }),
    ]);
    const { status, error } = (await execute("Now")).body as Body;
    expect(status).toBe("failed");
    expect(error).not.toBe("");
    await execute("Later", { task_id: "later" });
    await expect.poll(async () => ((await call("/control/status/later")).body as Body).status).toBe("failed");
    expect((await call("/ready")).body).toMatchObject({ running: 0, waiting: 0 });
  });

  it("a text without end is cut", async () => {
    const { execute } = await start([
      defineOperation({
        name: "Long",
        run() {
          throw new Error("x".repeat(1_000_000));
        },
      }),
    ]);
    expect(((await execute("Long")).body as Body).error.length).toBe(4000);
  });
});

describe("a text that is cut", () => {
  it("does not show the part of a key that lies before the cut", async () => {
    const api_key = "s3cret-canary-key";
    const leak = (kept: number) => "x".repeat(kept - 8) + api_key;
    const leaking = defineOperation({
      name: "Leak",
      style: "concurrent",
      run(ctx) {
        ctx.progress(1, leak(1000));
        throw new Error(leak(4000));
      },
    });
    const { execute, call, lines } = await start([leaking], { api_key });
    const headers = { authorization: `Bearer ${api_key}` };
    await execute("Leak", {}, headers);
    await expect
      .poll(async () => ((await call("/control/status/task-1", { headers })).body as Body).status)
      .toBe("failed");
    const shown = JSON.stringify([(await call("/control/status/task-1", { headers })).body, lines()]);
    expect(shown).not.toContain("s3cret");
  });
});

describe("an operation that forgets to await", () => {
  it("fails its task and nothing else", async () => {
    const unhandled: unknown[] = [];
    const hear = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", hear);
    onTestFinished(() => void process.off("unhandledRejection", hear));
    const forgot = defineOperation({
      name: "Forgot",
      run({ publish, inputs }) {
        void publish("{}", { format: "json" });
        void inputs[0]?.text();
        return undefined;
      },
    });
    const { execute, call } = await start([forgot]);
    const inputs = [{ protocol: "file", uri: "/no/such/file", format: "csv" }];
    expect((await execute("Forgot", { inputs })).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining("R-RUN-07"),
    });
    await pause(50);
    expect((await call("/health")).status).toBe(200);
    expect(unhandled).toEqual([]);
  });
});

describe("memory", () => {
  it("is not filled by requests that wait: their bytes are limited too (R-EXEC-15)", async () => {
    const hold = gate();
    const held = defineOperation({ name: "Held", style: "concurrent", sink: true, run: () => hold.opened });
    const { execute } = await start([held], { max_pending_bytes: 10_000 });
    const inputs = [createInlineReference("x".repeat(4000), "csv")];
    expect((await execute("Held", { task_id: "a", inputs })).status).toBe(200);
    expect((await execute("Held", { task_id: "b", inputs })).status).toBe(503);
    hold.open();
    await expect.poll(async () => (await execute("Held", { task_id: "c", inputs })).status).toBe(200);
  });

  it("is not filled by ids and references (R-EXEC-17)", async () => {
    const pass = defineOperation({ name: "Pass", run: (ctx) => ctx.inputs[0]?.reference });
    const { execute } = await start([pass]);
    expect((await execute("Pass", { task_id: "x".repeat(1025) })).status).toBe(422);
    const inputs = [createInlineReference("x".repeat(4 * 2 ** 20), "binary")];
    expect((await execute("Pass", { inputs })).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining("publish large payloads as file or http"),
    });
  });
});

describe("results", () => {
  it("of several publications in one task are told apart", async () => {
    const two = defineOperation({
      name: "Two",
      async run({ publish }) {
        const main = await publish("a,b\n1,2\n", { format: "csv", name: "main.csv" });
        await publish("<r/>", { format: "xml", name: "more.xml" });
        return main;
      },
    });
    const same = defineOperation({
      name: "Same",
      async run({ publish }) {
        await publish("{}", { format: "json" });
        return publish("[]", { format: "json" });
      },
    });
    const { execute, call } = await start([two, same]);
    await execute("Two");
    const data = await call("/control/data/task-1");
    expect(data.headers.get("content-type")).toBe("text/csv");
    expect(data.body).toBe("a,b\n1,2\n");
    expect((await execute("Same")).body).toMatchObject({
      error: expect.stringContaining("got output.json twice"),
    });
  });

  it("that a file URL names are looked for where it points", async () => {
    const own = (rows: string) =>
      defineOperation({
        name: "Own",
        async run({ folder }) {
          const path = `${await folder()}/own.csv`;
          writeFileSync(path, rows);
          return { protocol: "file", uri: pathToFileURL(path).href, format: "csv" };
        },
      });
    expect((await (await start([own("a\n1\n")])).execute("Own")).body).toMatchObject({ status: "complete" });
    expect((await (await start([own("a\n")])).execute("Own")).body).toMatchObject({
      error: expect.stringContaining("R-RUN-08"),
    });
  });

  it("without a byte are none, except where a format allows it", async () => {
    const empty = (format: "json" | "binary") =>
      defineOperation({ name: format, run: (ctx) => ctx.publish("", { format }) });
    const { execute } = await start([empty("json"), empty("binary")]);
    expect((await execute("json")).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining("R-RUN-07"),
    });
    expect((await execute("binary")).body).toMatchObject({ status: "complete" });
  });

  it("that pass an empty inline CSV on are failed too (R-RUN-08)", async () => {
    const pass = defineOperation({ name: "Pass", run: (ctx) => ctx.inputs[0]?.reference });
    const { execute } = await start([pass]);
    const inputs = [createInlineReference("a,b\n", "csv")];
    expect((await execute("Pass", { inputs })).body).toMatchObject({
      error: expect.stringContaining("R-RUN-08"),
    });
  });

  it("with metadata that is no plain JSON are refused by name", async () => {
    const odd = (value: unknown) =>
      defineOperation({
        name: "Odd",
        run: () =>
          ({ protocol: "s3", uri: "s3://b/k", format: "json", metadata: { deep: { value } } }) as never,
      });
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (const value of [new Date(0), new Map(), 10n, Number.NaN, () => 1, cycle]) {
      const { execute } = await start([odd(value)]);
      expect((await execute("Odd")).body).toMatchObject({
        error: expect.stringContaining("Expected metadata.deep.value"),
      });
    }
  });

  it("of a concurrent sink are an output that the deployed orchestrator takes (R-OUT-05)", async () => {
    const { execute, call } = await start([
      defineOperation({ name: "Sink", style: "concurrent", sink: true, run: () => undefined }),
    ]);
    const { task_id } = (await execute("Sink")).body as Body;
    await expect
      .poll(async () => ((await call(`/control/status/${task_id}`)).body as Body).status)
      .toBe("complete");
    const { body } = await call(`/control/output/${task_id}`);
    expect(judgeReply({ kind: "output", body: JSON.stringify(body) }).outcome).toBe("completes");
  });

  it("signed at the start of a long task are valid as long as they are kept (R-SIGN-02)", async () => {
    let now = 1_000_000;
    const slow = defineOperation({
      name: "Slow",
      async run({ publish }) {
        const reference = await publish("{}", { format: "json" });
        now += 150_000;
        return reference;
      },
    });
    const { execute, url } = await start([slow], {
      api_key: "k",
      now: () => now,
      retention: { max_age_s: 100 },
    });
    const { output } = (await execute("Slow", {}, { authorization: "Bearer k" })).body as Body;
    const { pathname, search } = new URL(output.uri);
    now += 100_000;
    expect((await fetch(url + pathname + search)).status).toBe(200);
    now += 60_000;
    expect((await fetch(url + pathname + search)).status).toBe(401);
  });
});

describe("parameters from inline JSON", () => {
  const parameters = z.object({ n: z.number().default(0) });
  const show = defineOperation({
    name: "Show",
    parameters,
    run: (ctx) => ctx.publish(JSON.stringify(ctx.parameters), { format: "json", as: "inline" }),
  });

  it("may begin with a byte order mark", async () => {
    const { execute } = await start([show]);
    const { output } = (await execute("Show", { inputs: [createInlineReference('\uFEFF{"n":7}', "json")] }))
      .body as Body;
    expect(JSON.parse(Buffer.from(output.uri, "base64").toString())).toEqual({ n: 7 });
  });

  it.each([undefined, { formats: ["csv"] as const }])(
    "that do not parse are an error, not no parameters (input %j)",
    async (input) => {
      const { execute } = await start([{ ...show, ...(input && { input }) }]);
      const { body } = await execute("Show", { inputs: [createInlineReference('{"n":1,}', "json")] });
      expect(body).toMatchObject({
        status: "failed",
        error: expect.stringContaining("of format json, to be JSON"),
      });
    },
  );
});

describe("the queue", () => {
  it("lets who asks again for what is known through, also when it is full (R-IDEM-01, R-IDEM-03)", async () => {
    const hold = gate();
    const held = defineOperation({ name: "Held", style: "concurrent", sink: true, run: () => hold.opened });
    const { execute } = await start([held], { max_running: 1, max_queued: 0 });
    const key = { "idempotency-key": "k" };
    const first = await execute("Held", {}, key);
    expect((await execute("Held", { task_id: "other" })).status).toBe(503);
    expect((await execute("Held", {}, key)).body).toEqual(first.body);
    expect((await execute("Held")).body).toEqual(first.body);
    hold.open();
  });

  it("is left by a cancelled task at once, and its caller gets an answer", async () => {
    const hold = gate();
    const held = defineOperation({ name: "Held", sink: true, run: () => hold.opened });
    const { execute, call } = await start([held], { max_running: 1, max_queued: 1 });
    const first = execute("Held", { task_id: "a" });
    await expect.poll(async () => (await call("/ready")).body).toMatchObject({ running: 1 });
    const second = execute("Held", { task_id: "b" });
    await expect.poll(async () => (await call("/ready")).body).toMatchObject({ waiting: 1 });
    await call("/control/cancel/b", { method: "POST" });
    expect((await second).body).toEqual({ status: "failed", error: "Cancelled" });
    expect((await call("/ready")).body).toMatchObject({ waiting: 0 });
    await call("/control/cancel/a", { method: "POST" });
    expect((await first).body).toEqual({ status: "failed", error: "Cancelled" });
    expect((await call("/ready")).body).toMatchObject({ running: 1 });
    hold.open();
    await expect.poll(async () => (await call("/ready")).body).toMatchObject({ running: 0 });
  });
});

describe("retention", () => {
  const begin = async (
    store: ReturnType<typeof createMemoryStore>,
    workflow_id: string,
    task_id: string,
    created_at: number,
  ) => {
    const handle = `${workflow_id}-${task_id}`;
    await store.begin(
      createExecution(
        handle,
        { workflow_id, task_id, method: "M" },
        "concurrent",
        "f",
        created_at,
        undefined,
      ),
      undefined,
    );
    return handle;
  };

  it("leaves the newest of those that remain under a raw task_id (R-RUN-05)", async () => {
    const store = createMemoryStore({ max_tasks: 1 });
    const running = await begin(store, "a", "t", 1);
    const old = await begin(store, "b", "t", 2);
    await store.update(old, { status: "complete", ended_at: 2 });
    await store.update(await begin(store, "c", "u", 3), { status: "complete", ended_at: 3 });
    expect((await store.prune(100_000)).map(({ handle }) => handle)).toEqual([old]);
    expect((await store.find("t"))?.handle).toBe(running);
  });

  it("counts neither running tasks nor drops small results for large ones (R-RUN-09)", async () => {
    const store = createMemoryStore({ max_tasks: 2, max_bytes: 10_000 });
    for (const id of ["r1", "r2", "r3"]) await begin(store, "w", id, 1);
    await store.update(await begin(store, "w", "small", 2), { status: "complete", ended_at: 2 });
    const large = await begin(store, "w", "large", 3);
    const output = createInlineReference("x".repeat(20_000), "csv");
    await store.update(large, { status: "complete", ended_at: 3, output });
    expect((await store.prune(100_000)).map(({ handle }) => handle)).toEqual([large]);
  });

  it("goes on when the folder of one task cannot be removed", async () => {
    let now = 0;
    const echo = defineOperation({ name: "Echo", run: (ctx) => ctx.publish("{}", { format: "json" }) });
    const { execute, service, lines } = await start([echo], {
      now: () => now,
      store: createMemoryStore({ max_age_s: 1 }),
    });
    await execute("Echo", { task_id: "a" });
    const [first] = [...(await service.parts.store.find("a").then((found) => [found]))];
    Object.assign(first ?? {}, { folder: "/not/ours" });
    await execute("Echo", { task_id: "b" });
    now += 100_000;
    await service.parts.engine.prune();
    const b = await service.parts.plane.createTaskFolder("wf-1", "b");
    expect(b.endsWith("b")).toBe(true);
    await expect.poll(lines).toContainEqual(expect.objectContaining({ folder: "/not/ours", level: 50 }));
  });
});

describe("streams", () => {
  it("that were opened and not read do not outlive the task", async () => {
    let closed = false;
    const open = defineOperation({
      name: "Open",
      sink: true,
      async run({ inputs }) {
        const stream = await inputs[0]?.stream();
        stream?.once("close", () => {
          closed = true;
        });
      },
    });
    const folder = await tempFolder();
    writeFileSync(`${folder}/x.csv`, "x".repeat(1_000_000));
    const { execute } = await start([open], { data_roots: [folder] });
    await execute("Open", { inputs: [{ protocol: "file", uri: `${folder}/x.csv`, format: "csv" }] });
    await expect.poll(() => closed).toBe(true);
  });
});

describe("configuration", () => {
  const operations = [defineOperation({ name: "A", sink: true, run: () => undefined })];
  const withEnv = async (env: Record<string, string>) => {
    const before = { ...process.env };
    Object.assign(process.env, env);
    try {
      const service = sequentialService({ operations, log_level: "silent" });
      onTestFinished(() => service.close());
      return service.parts.options;
    } finally {
      for (const name of Object.keys(env)) delete process.env[name];
      Object.assign(process.env, before);
    }
  };

  it("reads the key from a file, and never starts open when it cannot (R-ENV-04)", async () => {
    const folder = await tempFolder();
    writeFileSync(`${folder}/key`, "s3cret\n");
    writeFileSync(`${folder}/empty`, "\n");
    expect((await withEnv({ SERVICE_API_KEY_FILE: `${folder}/key` })).api_keys).toEqual(["s3cret"]);
    expect((await withEnv({ SERVICE_API_KEY: " s3cret\n" })).api_keys).toEqual(["s3cret"]);
    await expect(withEnv({ SERVICE_API_KEY_FILE: `${folder}/none` })).rejects.toThrow("readable file");
    await expect(withEnv({ SERVICE_API_KEY_FILE: `${folder}/empty` })).rejects.toThrow("to hold a key");
    await expect(
      withEnv({ SERVICE_API_KEY_FILE: `${folder}/key`, SERVICE_API_KEY: "other" }),
    ).rejects.toThrow("different keys");
  });

  const run = () => undefined;
  it.each([
    [{ operations: undefined }, "operations to be a list"],
    [
      { operations: [{ name: "A", run, style: "parallel" }] },
      'style of A to be "sequential" or "concurrent", got "parallel"',
    ],
    [{ operations: [{ name: "A", run, inputs: {} }] }, "got inputs"],
    [
      { operations: [{ name: "A", run, input: { formats: "csv" } }] },
      "formats of the input of A to be a list",
    ],
    [{ operations: [{ name: "A", run, input: { formats: ["CSV"] } }] }, "in lower case"],
    [{ operations: [{ name: "A", run, parameters: { column: "string" } }] }, "to be a zod schema"],
    [{ operations, datadir: "x" }, "got datadir"],
    [{ operations, store: "redis" }, "TASK_STORE to be"],
    [{ operations, publish_as: "ftp" }, "publish_as"],
  ])("says what is wrong with %j", (options, message) => {
    expect(() => sequentialService(options as never)).toThrow(message);
  });

  it.each([
    [undefined, "Expected a format to publish, one of json, csv"],
    [{ format: "txt" }, "got txt"],
    [{ format: "json", as: "ftp" }, 'got "ftp"'],
  ])("says what is wrong with publish(content, %j)", async (options, message) => {
    const { execute } = await start([
      defineOperation({ name: "P", run: (ctx) => ctx.publish("x", options as never) }),
    ]);
    expect((await execute("P")).body).toMatchObject({
      status: "failed",
      error: expect.stringContaining(message),
    });
  });

  it("names a log level that there is not", async () => {
    expect((await withEnv({ LOG_LEVEL: "WARN" })).log_level).toBe("silent");
    expect(() => sequentialService({ operations, log_level: "verbose" })).toThrow(
      "LOG_LEVEL) to be one of trace, debug",
    );
  });
});

describe.skipIf(process.platform !== "linux")("a service of its own process", () => {
  const file = fileURLToPath(new URL("../dist/testing/slow-service.js", import.meta.url));

  it("goes on when nobody reads its log", async () => {
    const port = await freePort();
    const env = {
      ...process.env,
      HOST: "127.0.0.1",
      PORT: String(port),
      LOG_LEVEL: "debug",
      DATA_DIR: await tempFolder(),
    };
    const child = spawn(process.execPath, [file], { env, stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const health = () =>
      fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2000) }).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(health, { timeout: 10_000 }).toBe(true);
    // Far more lines than a pipe holds.
    for (let round = 0; round < 200; round++) {
      await Promise.all(
        Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${port}/control/status/${"x".repeat(200)}`)),
      );
    }
    expect(await health()).toBe(true);
  });

  it("ends after a stop although an operation does not listen", async () => {
    const port = await freePort();
    const env = { ...process.env, HOST: "127.0.0.1", PORT: String(port), DATA_DIR: await tempFolder() };
    const child = spawn(process.execPath, [file], { env, stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
    const exited = new Promise((resolve) => child.once("exit", resolve));
    const execute = () =>
      fetch(`http://127.0.0.1:${port}/control/execute`, {
        method: "POST",
        body: JSON.stringify({ method: "Deaf", workflow_id: "w", task_id: "t" }),
      }).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(execute, { timeout: 10_000 }).toBe(true);
    child.kill("SIGTERM");
    expect(await Promise.race([exited, pause(9000, "still alive")])).toBe(0);
  });
});

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
