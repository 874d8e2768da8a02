/** What becomes of tasks while their store cannot be reached. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ControlError } from "@aieffect/control-interface";
import { tempFolder, until } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { createMemoryStore, createSqliteStore, defineOperation, sequentialService, serve } from "./index.ts";
import { createMoodyStore } from "./testing/moody-store.ts";
import { gate, start } from "./testing/start.ts";

type Status = { status: string; error: string; retryable?: boolean; progress: number };
const lost =
  "The task ended, but its result could not be kept, because the service cannot reach its store; send the task again";

/** Refusals before the end is tried again: 50 of progress, one of the folder, one of the end. */
const atFirst = 52;

/** A service whose operation ends when a test lets it, and whose clock a test can put forward. */
async function startMoody(style: "sequential" | "concurrent") {
  const store = createMoodyStore(createMemoryStore());
  const opened = gate();
  let ahead_ms = 0;
  const operation = defineOperation({
    name: "Work",
    style,
    async run({ publish, progress, signal }) {
      progress(40);
      await Promise.race([opened.opened, new Promise((end) => signal.addEventListener("abort", end))]);
      for (let percent = 50; percent < 100; percent++) progress(percent);
      return publish("{}", { format: "json", as: "inline" });
    },
  });
  const started = await start([operation], { store, now: () => Date.now() + ahead_ms });
  const running = () => until("the task to run", async () => (await store.find("task-1"))?.progress === 40);
  return {
    ...started,
    store,
    open: opened.open,
    running,
    status: async (id = "task-1") => (await started.call(`/control/status/${id}`)).body as Status,
    putForward(ms: number) {
      ahead_ms += ms;
    },
    logged: (text: string) => started.lines().filter(({ msg }) => String(msg).includes(text)),
  };
}

describe("a store that refuses the end of a task", () => {
  it("is asked again until it takes it, and nobody hears of the end before that", async () => {
    const { execute, store, open, running, status, call, logged } = await startMoody("concurrent");
    await execute("Work");
    await running();
    store.refused.add("update");
    open();
    await until("the end to be tried again", () => store.refusals > atFirst);
    expect(await status()).toMatchObject({ status: "running", progress: 40 });
    expect((await call("/control/output/task-1")).status).toBe(400);
    store.refused.clear();
    await until("the end to be kept", async () => (await status()).status === "complete");
    expect((await call("/control/output/task-1")).body).toMatchObject({ output: { uri: "e30=" } });
    const kept = await store.find("task-1");
    expect(existsSync(kept?.folder as string)).toBe(true);
    expect(logged("does not take the progress")).toHaveLength(1);
    expect(logged("does not take the folder")).toHaveLength(1);
    expect(logged("does not take the end")).toHaveLength(1);
    expect(logged("task ended")).toMatchObject([{ status: "complete" }]);
  });

  it("lets a sequential caller wait, and answers complete when the store is back in time", async () => {
    const { execute, store, open, running } = await startMoody("sequential");
    const answer = execute("Work");
    await running();
    store.refused.add("update");
    open();
    await until("the end to be tried again", () => store.refusals > atFirst);
    store.refused.clear();
    expect((await answer).body).toMatchObject({ status: "complete" });
  });

  it("does not let it wait for more than 10 s: it failed then, and stays failed", async () => {
    const { execute, store, open, running, status, putForward, call, logged } =
      await startMoody("sequential");
    const answer = execute("Work", {}, { "idempotency-key": "key" });
    await running();
    store.refused.add("update");
    open();
    await until("the end to be tried again", () => store.refusals > atFirst);
    putForward(10_001);
    expect((await answer).body).toEqual({ status: "failed", error: lost, retryable: true });
    // Whoever asks is told the same, though the store has it running.
    expect((await store.find("task-1"))?.status).toBe("running");
    const told = { status: "failed", error: lost, retryable: true, progress: 40 };
    expect(await status()).toEqual(told);
    expect((await call("/control/cancel/task-1", { method: "POST" })).body).toEqual(told);
    const again = await execute("Work", {}, { "idempotency-key": "key" });
    expect(again.body).toEqual({ status: "failed", error: lost, retryable: true });
    store.refused.clear();
    await until("the end to be kept", async () => (await store.find("task-1"))?.status === "failed");
    expect(await status()).toEqual(told);
    expect(logged("task ended")).toMatchObject([{ status: "failed" }]);
    expect((await call("/ready")).body).toMatchObject({ running: 0 });
  });

  it("is asked during a stop too, and what it never took is logged", async () => {
    const { execute, store, open, running, service, logged } = await startMoody("concurrent");
    await execute("Work");
    await running();
    store.refused.add("update");
    open();
    await until("the end to be tried again", () => store.refusals > atFirst);
    const before = store.refusals;
    const closed = service.close(200);
    await until("one more try", () => store.refusals > before);
    await closed;
    expect(logged("the end of a task is lost")).toHaveLength(1);
    expect((await store.find("task-1"))?.status).toBe("running");
  });

  it("keeps a stop from ending neither what runs nor itself", async () => {
    const { execute, store, running, service, logged } = await startMoody("concurrent");
    await execute("Work");
    await running();
    store.refused.add("update");
    await service.close(0);
    const names = { workflow_id: "wf-1", task_id: "task-1", method: "Work" };
    expect(logged("does not take that a task was stopped")).toMatchObject([names]);
    expect(logged("task ended")).toMatchObject([{ status: "failed" }]);
  });

  it("keeps a stop from nothing either when it does not even answer", async () => {
    const { execute, store, running, service, logged } = await startMoody("concurrent");
    await execute("Work");
    await running();
    const find = store.find;
    store.find = () => new Promise(() => {});
    await service.close(0);
    expect(logged("task ended")).toMatchObject([{ status: "failed" }]);
    store.find = find;
  });

  it("does not bring back what was cancelled meanwhile, nor keep its files", async () => {
    const { execute, store, open, running, status, call, folder } = await startMoody("concurrent");
    await execute("Work");
    await running();
    const { update } = store;
    let ends = 0;
    store.update = async (handle, change) => {
      if (change.status === "complete") ends++;
      if (change.folder === undefined || (await status()).status === "failed") return update(handle, change);
      throw new ControlError("store_unavailable", "The store is away");
    };
    open();
    await until("the end to be tried again", () => ends > 1);
    const data = join(folder, "wf-1", "task-1");
    expect(await readdir(data)).toEqual(["output.json"]);
    expect((await call("/control/cancel/task-1", { method: "POST" })).status).toBe(202);
    await until("the folder to be removed", () => !existsSync(data));
    expect(await status()).toMatchObject({ status: "failed", error: "Cancelled" });
  });
});

describe("a store that refuses the end of an upload", () => {
  async function upload({ call }: Awaited<ReturnType<typeof startMoody>>, key?: string) {
    const body = new FormData();
    for (const [name, value] of Object.entries({ workflow_id: "wf", task_id: "meter" }))
      body.append(name, value);
    body.append("file", new File(["a\n1\n"], "load.csv"));
    const headers = key === undefined ? {} : { "idempotency-key": key };
    return call("/control/data", { method: "POST", body, headers });
  }

  it("is asked again until it takes it, and its caller waits for that", async () => {
    const moody = await startMoody("sequential");
    const { store, call, logged } = moody;
    store.refused.add("update");
    const answer = upload(moody, "key");
    await until("the end to be tried again", () => store.refusals > 1);
    store.refused.clear();
    const { status, headers } = await answer;
    expect(status).toBe(201);
    expect((await call(headers.get("location") as string)).body).toBe("a\n1\n");
    expect((await upload(moody, "key")).headers.get("location")).toBe(headers.get("location"));
    expect(logged("does not take the end")).toHaveLength(1);
    expect(logged("upload kept")).toHaveLength(1);
  });

  it("does not let it wait for more than 10 s, nor whoever comes with its key, and keeps its folder from others", async () => {
    const moody = await startMoody("sequential");
    const { store, call, service, putForward, logged } = moody;
    store.refused.add("update");
    const answer = upload(moody, "key");
    await until("the end to be tried again", () => store.refusals > 1);
    putForward(10_001);
    expect((await answer).status).toBe(503);
    expect((await upload(moody, "key")).body).toMatchObject({
      detail: expect.stringMatching(/with a new key/),
    });
    store.refused.clear();
    await until("the failure to be kept", async () => (await store.find("meter"))?.status === "failed");
    putForward(3_600_000);
    const second = (await upload(moody)).headers.get("location") as string;
    putForward(86_400_000 - 1000);
    await service.parts.engine.prune();
    // The first is dropped with its files, and with nobody else's.
    expect((await store.find("meter"))?.handle).toBe(second.split("/").at(-1));
    expect((await call(second)).body).toBe("a\n1\n");
    expect(await readdir(join(moody.folder, "wf"))).toHaveLength(1);
    expect(logged("upload kept")).toHaveLength(1);
  });
});

describe("a store that has lost its data", () => {
  it("does not let a sequential caller believe in a result that nobody will find", async () => {
    const memory = createMemoryStore();
    let isLost = false;
    const store: typeof memory = {
      ...memory,
      find: async (id) => (isLost ? undefined : memory.find(id)),
      update: async (handle, change) => (isLost ? undefined : memory.update(handle, change)),
    };
    const operation = defineOperation({
      name: "Work",
      async run({ publish }) {
        const reference = await publish("{}", { format: "json" });
        isLost = true;
        return reference;
      },
    });
    const { execute, folder } = await start([operation], { store });
    expect((await execute("Work")).body).toEqual({
      status: "failed",
      error: expect.stringMatching(/the store has lost it; send the task again$/),
      retryable: true,
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("a store that cannot be reached", () => {
  it("is said so with 503 and Retry-After, on /ready too, and in the log in full", async () => {
    const { execute, store, call, logged } = await startMoody("sequential");
    for (const name of ["ready", "begin", "find"] as const) store.refused.add(name);
    const answers = [await execute("Work"), await call("/control/status/x"), await call("/ready")];
    for (const { status, headers } of answers) {
      expect(status).toBe(503);
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect(logged("call refused")).toMatchObject(Array(3).fill({ code: "store_unavailable" }));
    expect((await call("/health")).status).toBe(200);
    store.refused.clear();
    expect((await call("/ready")).body).toEqual({ status: "ready", running: 0, waiting: 0 });
  });

  it("gives the place back that it held for a task it did not begin", async () => {
    const store = createMoodyStore(createMemoryStore());
    const operation = defineOperation({ name: "Work", sink: true, run: () => undefined });
    const { execute, call } = await start([operation], { store, max_running: 1, max_queued: 0 });
    const begin = store.begin;
    store.begin = async (candidate, key, admit) => {
      admit?.();
      return begin(candidate, key);
    };
    store.refused.add("begin");
    for (let round = 0; round < 3; round++) expect((await execute("Work")).status).toBe(503);
    store.refused.clear();
    expect((await execute("Work")).body).toEqual({ status: "complete", output: null });
    expect((await call("/ready")).body).toMatchObject({ running: 0, waiting: 0 });
  });

  it("lets a wait end that cannot look at it", async () => {
    const { execute, store, call, running, open } = await startMoody("concurrent");
    await execute("Work");
    await running();
    const find = store.find;
    let finds = 0;
    // The route finds the task, the wait does not.
    store.find = (id) => {
      if (++finds === 2) store.refused.add("find");
      return find(id);
    };
    expect((await call("/control/status/task-1", { headers: { prefer: "wait=20" } })).status).toBe(503);
    store.refused.clear();
    open();
    await until("the end", async () => (await store.find("task-1"))?.status === "complete");
  });

  it("keeps a service from listening, and says why", async () => {
    const dir = await tempFolder();
    const holder = createSqliteStore({ dir });
    await holder.ready();
    const operation = defineOperation({ name: "Work", sink: true, run: () => undefined });
    const service = sequentialService({
      operations: [operation],
      store: `sqlite:${dir}`,
      log_level: "silent",
    });
    const options = { host: "127.0.0.1", port: 0, handle_signals: false };
    await expect(serve(service, options)).rejects.toThrow("another store in this process has it open");
    await holder.close();
    const running = await serve(service, options);
    expect((await fetch(`${running.url}/ready`)).status).toBe(200);
    await running.close();
  });
});

describe("limits on tasks", () => {
  it("hold for calls that the store decides on together", async () => {
    const opened = gate();
    const operation = defineOperation({
      name: "Work",
      style: "concurrent",
      sink: true,
      run: () => opened.opened,
    });
    const store = createSqliteStore({ dir: await tempFolder() });
    const { execute, call } = await start([operation], { store, max_running: 2, max_queued: 1 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => execute("Work", { task_id: `t${index}` })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(9);
    expect((await call("/ready")).body).toEqual({ status: "ready", running: 2, waiting: 1 });
    opened.open();
  });
});
