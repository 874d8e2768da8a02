/** Replicas of a service that share their tasks in Redis: whatever one is asked, any other can answer. */
import { spawn } from "node:child_process";
import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasRedis, needs, startRedis, tempFolder, until } from "@aieffect/test-support";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { createRedisStore, defineOperation, type ServiceOptions } from "./index.ts";
import { gate, type Started, start } from "./testing/start.ts";

type Answer = { status: string; task_id: string; error: string; retryable: boolean; output: { uri: string } };

const skip = needs("redis-server", hasRedis());
const redis = skip ? undefined : await startRedis({ onEnd: afterAll });
let serial = 0;
const newStore = () => `${redis?.url}?prefix=replicas-${++serial}`;

/** Starts replicas of one service: its tasks in Redis, its files in one folder. */
async function startReplicas(
  operations: Parameters<typeof start>[0],
  options: Partial<ServiceOptions> = {},
): Promise<[Started, Started]> {
  const common = { store: newStore(), data_dir: await tempFolder(), ...options };
  return [await start(operations, common), await start(operations, common)];
}

/** An operation that a test ends, or that its signal ends. */
function held(style: "sequential" | "concurrent" = "concurrent") {
  const end = gate<string>();
  const runs: { handle: string; signal: AbortSignal; progress(percent: number): void }[] = [];
  const operation = defineOperation({
    name: "Work",
    style,
    async run({ handle, signal, progress, publish }) {
      runs.push({ handle, signal, progress });
      const aborted = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason)),
      );
      return publish(await Promise.race([end.opened, aborted]), { format: "json" });
    },
  });
  return { operation, runs, end: (text = "{}") => end.open(text) };
}

describe.skipIf(skip)("replicas of a service", () => {
  it("each answer for any task: status, long poll, events, output, data", async () => {
    const work = held();
    const [one, other] = await startReplicas([work.operation]);
    const { task_id } = (await one.execute("Work")).body as Answer;
    await until("the run", () => work.runs[0]);
    const events = other.call("/control/status/task-1", { headers: { accept: "text/event-stream" } });
    const poll = other.call(`/control/status/${task_id}`, { headers: { prefer: "wait=20" } });
    let percent = 0;
    const ticking = setInterval(() => work.runs[0]?.progress(++percent), 10);
    expect((await poll).body).toMatchObject({ status: "running", progress: expect.toSatisfy(Boolean) });
    clearInterval(ticking);
    const last = other.call(`/control/status/${task_id}`, { headers: { prefer: "wait=20" } });
    work.end('{"a":1}');
    expect((await last).body).toMatchObject({ status: "complete", progress: 100 });
    const told = [...((await events).body as string).matchAll(/"status":"(\w+)"/g)].map(([, word]) => word);
    expect(told.at(-1)).toBe("complete");
    const outputs = await Promise.all([one, other].map(({ call }) => call(`/control/output/${task_id}`)));
    expect(outputs[0]?.status).toBe(200);
    expect(outputs[1]?.body).toEqual(outputs[0]?.body);
    expect((await other.call(`/control/data/${task_id}`)).body).toEqual({ a: 1 });
    expect((await other.call("/control/output/task-1")).body).toEqual(outputs[0]?.body);
  });

  it("say what is missing where their files are not shared", async () => {
    const work = held();
    const store = newStore();
    const [one, other] = [await start([work.operation], { store }), await start([work.operation], { store })];
    const { task_id } = (await one.execute("Work")).body as Answer;
    work.end();
    await one.call(`/control/status/${task_id}`, { headers: { prefer: "wait=20" } });
    expect((await one.call(`/control/data/${task_id}`)).status).toBe(200);
    // As where each replica has a disk of its own.
    await rm(one.folder, { recursive: true });
    expect(await other.call(`/control/data/${task_id}`)).toMatchObject({
      status: 404,
      body: { detail: expect.stringMatching(/need one DATA_DIR for all of them/) },
    });
  });

  it("do not remove each other's folders where each has a disk of its own, at the same path", async () => {
    const work = held();
    let ahead_ms = 0;
    const now = () => Date.now() + ahead_ms;
    const [one, other] = await startReplicas([work.operation], { now });
    const first = (await one.execute("Work")).body as Answer;
    work.end();
    const wait = { headers: { prefer: "wait=20" } };
    await one.call(`/control/status/${first.task_id}`, wait);
    // The disk of the first is not that of the second.
    await rename(join(one.folder, "wf-1"), join(await tempFolder(), "wf-1"));
    ahead_ms = 86_400_000 + 1000;
    const second = (await other.execute("Work")).body as Answer;
    await other.call(`/control/status/${second.task_id}`, wait);
    await other.service.parts.engine.prune();
    expect((await other.call(`/control/status/${first.task_id}`)).status).toBe(404);
    expect((await other.call(`/control/data/${second.task_id}`)).body).toEqual({});
  });

  it("cancel what runs on another one (R-CANCEL-01)", async () => {
    const work = held();
    const [one, other] = await startReplicas([work.operation]);
    const { task_id } = (await one.execute("Work")).body as Answer;
    const { signal } = await until("the run", () => work.runs[0]);
    const cancelled = await other.call(`/control/cancel/${task_id}`, { method: "POST" });
    expect(cancelled).toMatchObject({ status: 202, body: { status: "failed", error: "Cancelled" } });
    await until("the signal", () => signal.aborted);
    expect((await one.call(`/control/status/${task_id}`)).body).toMatchObject({ error: "Cancelled" });
    await expect.poll(async () => (await one.call("/ready")).body).toMatchObject({ running: 0 });
    const again = await one.call(`/control/cancel/${task_id}`, { method: "POST" });
    expect(again).toMatchObject({ status: 200, body: { status: "failed" } });
  });

  it("leave the signal of a task alone that ended by itself", async () => {
    const work = held();
    const [one] = await startReplicas([work.operation]);
    await one.execute("Work");
    const { signal } = await until("the run", () => work.runs[0]);
    work.end();
    const ended = await one.call("/control/status/task-1", { headers: { prefer: "wait=20" } });
    expect(ended.body).toMatchObject({ status: "complete" });
    await until(
      "the end of it",
      async () => ((await one.call("/ready")).body as { running: number }).running === 0,
    );
    expect(signal.aborted).toBe(false);
  });

  it("attach a caller to the sequential call that another one runs (R-IDEM-03)", async () => {
    const work = held("sequential");
    const [one, other] = await startReplicas([work.operation]);
    const first = one.execute("Work");
    await until("the run", () => work.runs[0]);
    const second = other.execute("Work", {}, { "idempotency-key": "second" });
    const { store } = one.service.parts;
    await until("the second to be attached", async () =>
      (await store.find("task-1"))?.idempotency_keys.includes("second"),
    );
    work.end('{"b":2}');
    expect((await second).body).toEqual((await first).body);
    expect((await second).headers.get("idempotency-replayed")).toBe("true");
    expect((await first).headers.get("idempotency-replayed")).toBeNull();
    expect(work.runs).toHaveLength(1);
  });

  it("start one task of calls that come to several at the same moment (R-IDEM-01)", async () => {
    const work = held();
    const replicas = await startReplicas([work.operation]);
    const keyed = { "idempotency-key": "once" };
    const tasks = ["a", "b", "c", "d", "e"].map(async (task_id) => {
      const calls = Array.from({ length: 6 }, (_, index) =>
        replicas[index % 2 ? 1 : 0].execute("Work", { task_id }, keyed),
      );
      return new Set((await Promise.all(calls)).map(({ body }) => (body as Answer).task_id));
    });
    const handles = await Promise.all(tasks);
    expect(handles.map((known) => known.size)).toEqual([1, 1, 1, 1, 1]);
    await until("all to run", () => work.runs.length === 5);
    expect(work.runs.map(({ handle }) => handle).sort()).toEqual(
      handles.flatMap((known) => [...known]).sort(),
    );
    const another = await replicas[0].execute("Work", { task_id: "a", parameters: { x: 1 } }, keyed);
    expect(another.status).toBe(422);
    work.end();
  });

  it("do not show the password of their Redis", async () => {
    const store = `${newStore().replace("//", "//default:top%20secret@")}`;
    const tell = defineOperation({
      name: "Tell",
      run() {
        throw new Error(`cannot use ${store} with "top secret"`);
      },
    });
    const { execute, lines } = await start([tell], { store });
    const { body } = await execute("Tell");
    expect((body as Answer).error).toMatch(/^cannot use redis:/);
    expect(JSON.stringify([body, lines()])).not.toMatch(/top(%20| )secret/);
  });
});

describe.skipIf(skip)("a replica that dies", () => {
  async function spawnReplica(store: string, lease_ms: number) {
    const file = fileURLToPath(new URL("../dist/testing/replica-service.js", import.meta.url));
    const child = spawn(process.execPath, [file, store, String(lease_ms)], {
      env: { ...process.env, HOST: "127.0.0.1", PORT: "0", DATA_DIR: await tempFolder() },
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let log = "";
    child.stdout.on("data", (chunk) => {
      log += chunk;
    });
    const url = await until("the replica", () => /"url":"([^"]+)"/.exec(log)?.[1]);
    const execute = async (method: string, task_id: string): Promise<Answer> => {
      const body = JSON.stringify({ method, workflow_id: "w", task_id });
      return (await fetch(`${url}/control/execute`, { method: "POST", body })).json() as Promise<Answer>;
    };
    return { child, execute, log: () => log };
  }

  it("loses its tasks within its lease, and goes on if it was only paused (R-LOST-02)", async () => {
    const url = newStore();
    const lease_ms = 900;
    const [dying, alive] = await Promise.all([
      spawnReplica(url, lease_ms),
      start([held().operation], { store: createRedisStore({ url, namespace: "n", lease_ms }) }),
    ]);
    const status = async (id: string, wait = 0) =>
      (await alive.call(`/control/status/${id}`, { headers: { prefer: `wait=${wait}` } })).body as Answer;
    const [first, second] = [await dying.execute("Long", "a"), await dying.execute("Long", "b")];
    expect(await status(first.task_id)).toMatchObject({ status: "running" });
    const { store } = alive.service.parts;
    const written = async () => {
      const folder = (await store.find("a"))?.folder;
      return folder && (await stat(join(folder, "half")).catch(() => undefined))?.size === 7;
    };
    await until("its files", written);

    dying.child.kill("SIGSTOP");
    const lost = {
      status: "failed",
      retryable: true,
      error: expect.stringMatching(/^The replica that ran this task stopped/),
    };
    expect(await status(first.task_id, 20)).toMatchObject(lost);
    expect(await status(second.task_id, 20)).toMatchObject(lost);
    expect((await store.find("a"))?.folder_bytes).toBe(7);

    dying.child.kill("SIGCONT");
    await until("it to stop working on both", () => dying.log().match(/told to stop/g)?.length === 2);
    const third = await dying.execute("Short", "c");
    expect(await status(third.task_id, 20)).toMatchObject({ status: "complete" });
    const fourth = await dying.execute("Long", "d");
    expect(await status(fourth.task_id)).toMatchObject({ status: "running" });

    dying.child.kill("SIGKILL");
    expect(await status("d", 20)).toMatchObject(lost);
    expect(await status(third.task_id)).toMatchObject({ status: "complete" });
  });
});
