import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  hasRedis,
  needs,
  type StartRedisOptions,
  startRedis,
  tempFolder,
  until,
} from "@aieffect/test-support";
import * as fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { createExecution, type Execution, hasEnded } from "../tasks/execution.ts";
import { waitFor } from "../tasks/wait-for.ts";
import { describeTaskStore } from "../testing/task-store-suite.ts";
import { createRedisStore, type RedisStoreOptions } from "./redis-store.ts";
import type { TaskStore } from "./task-store.ts";

const skip = needs("redis-server", hasRedis());
const common = skip ? undefined : await startRedis({ onEnd: afterAll });
// Early, because its nodes take seconds to get to know each other.
const cluster = skip ? undefined : await startCluster();
let serial = 0;

/** A store of its own, or a further one on the same tasks. */
function open(options: Partial<RedisStoreOptions> = {}): TaskStore & { namespace: string } {
  const namespace = options.namespace ?? `own-${++serial}`;
  const store = createRedisStore({ url: common?.url ?? "", ...options, namespace });
  onTestFinished(() => store.close());
  return { ...store, namespace };
}

function execution(fields: Partial<Execution> = {}, key?: string): Execution {
  const { workflow_id = "w", task_id = "t", fingerprint = "same" } = fields;
  const request = { workflow_id, task_id, method: "Work" };
  return {
    ...createExecution(`h-${++serial}`, request, "concurrent", fingerprint, 0, key),
    ...fields,
  };
}

/** To look at what stands in Redis. */
async function client(url = common?.url ?? "") {
  const redis = new Redis(url);
  redis.on("error", () => {});
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** A way to a Redis that can be shut. */
async function openDoor(port: number) {
  const sockets = new Set<Socket>();
  let isOpen = true;
  const server = createServer((socket) => {
    if (!isOpen) return void socket.destroy();
    const behind = connect(port, "127.0.0.1");
    for (const [one, other] of [[socket, behind] as const, [behind, socket] as const]) {
      sockets.add(one);
      one.on("error", () => {}).on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const shut = () => {
    isOpen = false;
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  onTestFinished(() => {
    shut();
    server.close();
  });
  const open = () => {
    isOpen = true;
  };
  return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, shut, open };
}

/** Two nodes, each with half of the slots. */
async function startCluster() {
  const options = { onEnd: afterAll, cluster: true };
  const nodes = [await startRedis(options), await startRedis(options)] as const;
  const [one, other] = nodes.map(({ url }) => new Redis(url)) as [Redis, Redis];
  await one.call("CLUSTER", "ADDSLOTSRANGE", 0, 8191);
  await other.call("CLUSTER", "ADDSLOTSRANGE", 8192, 16383);
  await one.call("CLUSTER", "MEET", "127.0.0.1", nodes[1].port, nodes[1].cluster_port);
  const isWhole = async (node: Redis) => /state:ok[\s\S]*slots_ok:16384/.test(await node.cluster("INFO"));
  const whole = until("a cluster", async () => (await isWhole(one)) && isWhole(other));
  whole.catch(() => {}).then(() => [one, other].map((node) => node.disconnect()));
  return { nodes, whole };
}

const forever = { wait_s: Number.POSITIVE_INFINITY, signals: [] };

describe.skipIf(skip)("a store in Redis", () => {
  describeTaskStore("redis", async (retention) =>
    createRedisStore({ url: common?.url ?? "", namespace: `suite-${++serial}`, retention }),
  );

  it("gives the folders of dropped tasks to others when it dies before they are removed", async () => {
    const folder = await tempFolder();
    const one = open({ lease_ms: 300 });
    const ended = (await one.begin(execution({ folder }), undefined)).execution;
    await one.update(ended.handle, { status: "complete", ended_at: 1 });
    expect(await one.prune(Date.now())).toMatchObject([{ folder }]);
    const other = open({ namespace: one.namespace, lease_ms: 300 });
    await other.ready();
    expect(await other.folders?.takeOver()).toEqual([]);
    await one.close();
    const taken = await until("them to be taken over", async () => {
      const found = await other.folders?.takeOver();
      return found?.length ? found : undefined;
    });
    expect(taken).toMatchObject([{ folder, handle: ended.handle }]);
    expect(await one.folders?.forget(folder).catch(() => false)).toBe(false);
    expect(await other.folders?.forget(folder)).toBe(true);
  });

  it("tells any two tasks apart, whatever is in their ids", async () => {
    const parts = ["", "a", ",", '"', '","', "{", "}", "\n", "\0", "\ud800", "\udfff", "\ufffd", "\\ud800"];
    const part = fc.constantFrom(...parts, "x".repeat(1024));
    const three = fc.tuple(part, part, part);
    // Pairs that are easily taken for each other: cut elsewhere out of one text, or different in one id.
    const cuts = fc.tuple(
      fc.array(part, { maxLength: 5 }),
      fc.array(fc.nat(5), { minLength: 4, maxLength: 4 }),
    );
    const cut = (all: string[], a: number, b: number): [string, string, string] => {
      const [from = 0, to = 0] = [a, b].sort();
      return [all.slice(0, from).join(""), all.slice(from, to).join(""), all.slice(to).join("")];
    };
    const pairs = fc.oneof(
      cuts.map(([all, [a = 0, b = 0, c = 0, d = 0]]) => [cut(all, a, b), cut(all, c, d)] as const),
      fc.tuple(three, fc.nat(2), part).map(([one, at, other]) => [one, one.with(at, other)] as const),
    );
    const store = open({ namespace: `{${++serial}}\0` });
    await fc.assert(
      fc.asyncProperty(pairs, async ([one, other]) => {
        const run = `${++serial} `;
        const begin = ([workflow_id = "", task_id = "", key = ""]: readonly string[]) =>
          store.begin(execution({ workflow_id: run + workflow_id, task_id: run + task_id }, key), key);
        const first = (await begin(one)).execution;
        const second = await begin(other);
        const same = one[0] === other[0] && one[1] === other[1];
        expect(second.outcome).toBe(same ? (one[2] === other[2] ? "replayed" : "attached") : "started");
        expect(await store.find(first.handle)).toMatchObject({ workflow_id: run + one[0] });
        expect((await store.find(run + other[1]))?.handle).toBe(second.execution.handle);
      }),
      { numRuns: 150 },
    );
  });

  it("keeps safe retry when two replicas race, whatever comes in between (R-IDEM-01 to 04)", async () => {
    const call = fc.record({
      replica: fc.nat(1),
      task_id: fc.constantFrom("t1", "t2"),
      fingerprint: fc.constantFrom("x", "y"),
      key: fc.constantFrom(undefined, "k1", "k2"),
    });
    const rounds = fc.array(fc.array(call, { minLength: 2, maxLength: 8 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(rounds, fc.infiniteStream(fc.boolean()), async (all, ends) => {
        const first = open();
        const stores = [first, open({ namespace: first.namespace })];
        const running = new Map<string, string>();
        const keyed = new Map<string, { handle: string; fingerprint: string }>();
        for (const calls of all) {
          const before = new Map(running);
          const begun = await Promise.all(
            calls.map(async ({ replica, task_id, fingerprint, key }) => {
              const given = execution({ task_id, fingerprint }, key);
              return (stores[replica] as TaskStore).begin(given, key);
            }),
          );
          for (const [index, { outcome, execution: known }] of begun.entries()) {
            if (outcome !== "started") continue;
            const { task_id, fingerprint } = calls[index] as (typeof calls)[number];
            // Nothing ends while they race, so nothing may run twice.
            expect(running.get(`${task_id} ${fingerprint}`)).toBeUndefined();
            running.set(`${task_id} ${fingerprint}`, known.handle);
          }
          for (const [index, { outcome, execution: known }] of begun.entries()) {
            const { task_id, fingerprint, key } = calls[index] as (typeof calls)[number];
            if (outcome === "attached") expect(known.handle).toBe(running.get(`${task_id} ${fingerprint}`));
            if (key === undefined) continue;
            const led = keyed.get(`${task_id} ${key}`);
            if (led === undefined) keyed.set(`${task_id} ${key}`, known);
            else expect(known.handle).toBe(led.handle);
            const known_fingerprint = keyed.get(`${task_id} ${key}`)?.fingerprint;
            expect(outcome === "mismatch").toBe(known_fingerprint !== fingerprint);
          }
          expect([...before.keys()].every((name) => running.has(name))).toBe(true);
          for (const [name, handle] of running) {
            if (!ends.next().value) continue;
            running.delete(name);
            // Both at once; one of them is too late.
            const ended = await Promise.all(
              stores.map((store) => store.update(handle, { status: "complete", ended_at: 1 })),
            );
            expect(ended.filter(Boolean)).toHaveLength(1);
          }
        }
        await Promise.all(stores.map((store) => store.close()));
      }),
      { numRuns: 40 },
    );
  });

  it("lets changes from both sides come one after the other", async () => {
    const one = open();
    const other = open({ namespace: one.namespace });
    const { handle } = (await one.begin(execution(), undefined)).execution;
    const seen: number[] = [];
    other.subscribe(handle, ({ progress }) => seen.push(progress));
    await other.ready();
    await Promise.all(
      Array.from({ length: 99 }, (_, index) =>
        (index % 2 ? one : other).update(handle, { progress: index + 1 }),
      ),
    );
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
    const attached = keys.map((key, index) => (index % 2 ? one : other).begin(execution({}, key), key));
    await Promise.all([...attached, one.update(handle, { message: "while they come" })]);
    const { steps, message, idempotency_keys } = (await one.find(handle)) as Execution;
    expect(message).toBe("while they come");
    expect([...idempotency_keys].sort()).toEqual(keys.sort());
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(steps.at(-1)).toBe(99);
    await until("the newest state", () => seen.at(-1) === 99);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it("writes what an operation reports in a tight loop together", async () => {
    const store = open();
    const { handle } = (await store.begin(execution(), undefined)).execution;
    const redis = await client();
    const calls = async () =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? 0);
    await store.update(handle, { progress: 0 });
    const before = await calls();
    const reports = Array.from({ length: 5000 }, (_, index) =>
      store.update(handle, { progress: Math.trunc(index / 50), message: `${index}` }),
    );
    expect(new Set(reports).size).toBeLessThan(110);
    await Promise.all(reports);
    expect((await calls()) - before).toBeLessThan(20);
    expect(await store.find(handle)).toMatchObject({ progress: 99, message: "4999" });
    expect((await store.find(handle))?.steps).toHaveLength(100);
  });

  it("tells a first listener what it would have missed", async () => {
    const one = open();
    const other = open({ namespace: one.namespace });
    await Promise.all([one.ready(), other.ready()]);
    const { handle } = (await one.begin(execution(), undefined)).execution;
    await other.update(handle, { status: "failed", error: "Cancelled", ended_at: 1 });
    const redis = await client();
    // Whatever was published before is delivered before this.
    await until("the message", async () => (await redis.publish("other", "")) === 0);
    const seen: Execution[] = [];
    one.subscribe(handle, (next) => seen.push(next));
    await expect.poll(() => seen).toMatchObject([{ status: "failed", error: "Cancelled" }]);
  });

  it("gives each execution back from prune to one of those who ask at once, and leaves nothing of it", async () => {
    const one = open({ retention: { max_age_s: 100 } });
    const other = open({ namespace: one.namespace, retention: { max_age_s: 100 } });
    const redis = await client();
    const handles: string[] = [];
    for (let index = 0; index < 120; index++) {
      const begun = await one.begin(execution({ task_id: `t${index}` }, "k"), "k");
      handles.push(begun.execution.handle);
      await one.update(begun.execution.handle, { status: "complete", ended_at: 1 });
    }
    const names = await redis.keys(`aieffect:*${one.namespace}*`);
    expect(names.length).toBeGreaterThan(3 * handles.length);
    for (const name of names.filter((known) => !/:(replicas|serial|lease:.*)$/.test(known))) {
      expect(await redis.pttl(name), name).toBeGreaterThan(100_000);
    }
    const [mine, theirs] = await Promise.all([one.prune(200_000), other.prune(200_000)]);
    expect([...mine, ...theirs].map(({ handle }) => handle).sort()).toEqual(handles.sort());
    await Promise.all([one.close(), other.close()]);
    const left = await redis.keys(`aieffect:*${one.namespace}*`);
    expect(left.map((name) => name.split(":").at(-1))).toEqual(["serial"]);
  });

  it("drops the oldest files when there are too many bytes of them, but none of the last minute", async () => {
    const store = open({ retention: { max_payload_bytes: 1000 } });
    for (const [index, folder_bytes] of [0, 600, 600, 300, 900].entries()) {
      const { handle } = (await store.begin(execution({ task_id: `t${index}` }), undefined)).execution;
      const ended_at = index === 4 ? 100_000 : index;
      await store.update(handle, { status: "complete", ended_at, folder_bytes });
    }
    const dropped = await store.prune(100_001);
    expect(dropped.map(({ task_id }) => task_id)).toEqual(["t1", "t2", "t3"]);
    expect(await store.prune(100_002)).toEqual([]);
  });

  it("that is closed leaves nothing running", async () => {
    const one = open();
    const other = open({ namespace: one.namespace });
    const { handle } = (await one.begin(execution(), undefined)).execution;
    const folder = await tempFolder();
    await writeFile(join(folder, "half"), "1234567");
    await one.update(handle, { folder });
    const ended = waitFor(other, (await other.find(handle)) as Execution, hasEnded, forever);
    await one.close();
    const left = { status: "failed", retryable: true, folder_bytes: 7 };
    expect(await other.find(handle)).toMatchObject(left);
    expect(await ended).toMatchObject({ status: "failed" });
    await expect(one.find(handle)).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("tells who does not have ioredis what to install", async () => {
    const block = join(await tempFolder(), "block.cjs");
    await writeFile(
      block,
      `const Module = require("node:module");
      const resolve = Module._resolveFilename;
      Module._resolveFilename = function (name, ...rest) {
        if (name !== "ioredis") return resolve.call(this, name, ...rest);
        throw Object.assign(new Error("Cannot find module 'ioredis'"), { code: "MODULE_NOT_FOUND" });
      };`,
    );
    const kit = fileURLToPath(new URL("../../dist/index.js", import.meta.url));
    const program = `const { createRedisStore } = await import(${JSON.stringify(kit)});
      try { createRedisStore({ url: "redis://127.0.0.1", namespace: "n" }); } catch (error) { console.log(error.name + ": " + error.message); }`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--require", block, "--input-type=module", "--eval", program],
      { encoding: "utf8" },
    );
    expect(stdout + stderr).toBe(
      "TypeError: Expected the package ioredis for a store in Redis, found none; do `npm install ioredis`\n",
    );
  });
});

describe.skipIf(skip)("a store in a Redis of its own", () => {
  /** A Redis, a store, and what it complained of. */
  async function start(options: Partial<RedisStoreOptions> = {}, redisOptions: StartRedisOptions = {}) {
    const redis = await startRedis(redisOptions);
    const problems: string[] = [];
    const common = { url: redis.url, onProblem: (error: Error) => void problems.push(error.message) };
    const store = open({ ...common, ...options });
    const another = () => open({ ...common, ...options, namespace: store.namespace });
    return { redis, store, another, problems };
  }

  it("hears what was told while its connection for that was lost", async () => {
    const { redis, store, another } = await start();
    const other = another();
    const begun = (await store.begin(execution(), undefined)).execution;
    await other.ready();
    const ended = waitFor(other, (await other.find(begun.handle)) as Execution, hasEnded, forever);
    const admin = await client(redis.url);
    for (const progress of [10, 20, 30]) {
      expect(await admin.call("CLIENT", "KILL", "TYPE", "pubsub")).toBeGreaterThan(0);
      await store.update(begun.handle, { progress });
      await Promise.all([store.ready(), other.ready()]);
    }
    await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
    await store.update(begun.handle, { status: "complete", ended_at: 1 });
    expect(await ended).toMatchObject({ status: "complete", steps: [0, 10, 20, 30] });
  });

  it("goes on after Redis was started anew, and takes nobody for dead who was away as well", async () => {
    const lease_ms = 600;
    const { redis, store: judge, problems } = await start({ lease_ms }, { keeps: true });
    const door = await openDoor(redis.port);
    const late = open({ url: door.url, namespace: judge.namespace, lease_ms });
    await Promise.all([late.ready(), judge.ready()]);
    const begun = (await late.begin(execution(), undefined)).execution;
    const ended = waitFor(judge, begun, hasEnded, forever);
    const since = performance.now();
    await until("one that may judge others", () => performance.now() - since > lease_ms);
    door.shut();
    await redis.kill();
    const away_since = performance.now();
    const meanwhile = judge.begin(execution({ task_id: "meanwhile" }), undefined);
    const changed = late.update(begun.handle, { progress: 40 });
    await until("the end of all leases", () => performance.now() - away_since > lease_ms);
    await redis.restart();
    await until("it to know", () =>
      problems.some((problem) => problem.includes("lease of this replica has run out")),
    );
    door.open();
    expect(await changed).toMatchObject({ status: "running", progress: 40 });
    expect(await meanwhile).toMatchObject({ outcome: "started" });
    await late.update(begun.handle, { status: "complete", ended_at: 1 });
    expect(await ended).toMatchObject({ status: "complete", steps: [0, 40] });
  });

  it("serves new tasks after Redis has lost everything", async () => {
    const { redis, store } = await start();
    const gone = (await store.begin(execution(), undefined)).execution;
    await redis.kill();
    await redis.restart();
    expect(await store.find(gone.handle)).toBeUndefined();
    expect(await store.update(gone.handle, { progress: 5 })).toBeUndefined();
    const { handle } = (await store.begin(execution(), undefined)).execution;
    expect(await store.update(handle, { status: "complete", ended_at: 1 })).toMatchObject({ progress: 100 });
  });

  it("does not wait for Redis when it is closed, nor does what waited before", async () => {
    const { redis, store, problems } = await start({ patience_ms: 600_000 });
    const { handle } = (await store.begin(execution(), undefined)).execution;
    await redis.kill();
    await until("the outage to be told", () => problems.length > 0);
    const waiting = [store.update(handle, { progress: 5 }), store.find(handle)];
    const refusals = waiting.map((call) => expect(call).rejects.toMatchObject({ code: "store_unavailable" }));
    // A turn later they wait.
    await new Promise((resolve) => setImmediate(resolve));
    await store.close();
    await Promise.all(refusals);
  });

  it("says in plain words what cannot be reached, once, and without its password", async () => {
    const { redis, store, problems } = await start({ patience_ms: 600 });
    await store.ready();
    await redis.kill();
    await until("the outage to be told", () => problems.length > 0);
    const name = `redis://127.0.0.1:${redis.port}`;
    const message = `Could not reach Redis at ${name} (connect ECONNREFUSED 127.0.0.1:${redis.port}); is it started, and can it be reached from here?`;
    const error = { code: "store_unavailable", message, retry_after_s: 2 };
    const failures = [store.ready(), store.find("h"), store.begin(execution(), "k"), store.prune(1)];
    await Promise.all(failures.map((failure) => expect(failure).rejects.toMatchObject(error)));
    expect(problems).toEqual([
      `Redis at ${name} cannot be reached: connect ECONNREFUSED 127.0.0.1:${redis.port}`,
    ]);
    await redis.restart();
    const isReady = () =>
      store.ready().then(
        () => true,
        () => false,
      );
    await until("Redis to be back", isReady);
    expect(problems.slice(1)).toEqual([expect.stringContaining("or has lost its data")]);
    await redis.kill();
    await until("a new outage to be told", () => problems.at(-1)?.includes("cannot be reached"));
  });

  it("takes user and password from its URL, and never shows them", async () => {
    const args = ["--requirepass", "se:cr@t"];
    const { redis, problems } = await start({}, { args });
    const url = (password: string) =>
      `redis://default:${encodeURIComponent(password)}@127.0.0.1:${redis.port}/3`;
    const store = open({ url: url("se:cr@t") });
    await store.ready();
    await store.begin(execution(), undefined);
    const admin = await client(`${url("se:cr@t")}`);
    expect(await admin.keys(`*${store.namespace}*`)).not.toEqual([]);
    const onProblem = (error: Error) => void problems.push(error.message);
    const refused = open({ url: url("wrong:one"), patience_ms: 200, onProblem });
    const error = await refused.ready().catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "store_unavailable" });
    expect((error as Error).message).toMatch(
      /^Could not reach Redis at redis:\/\/127\.0\.0\.1:\d+\/3 \(WRONGPASS/,
    );
    const bare = open({ url: redis.url, patience_ms: 200 });
    await expect(bare.ready()).rejects.toThrow(/NOAUTH/);
    expect(`${error} ${problems.join()}`).not.toMatch(/wrong:one|wrong%3Aone/);
  });

  it("refuses new tasks when Redis is full, and makes room", async () => {
    const { redis, store, problems } = await start({}, { args: ["--maxmemory", "50mb"] });
    const { handle } = (await store.begin(execution(), "k")).execution;
    await store.update(handle, { status: "complete", ended_at: 1 });
    const admin = await client(redis.url);
    await admin.config("SET", "maxmemory", "1");
    await expect(store.begin(execution(), undefined)).rejects.toMatchObject({
      code: "storage_full",
      message: expect.stringMatching(/^Redis at .* refused: OOM .*; give it more memory/),
    });
    expect(await store.prune(1e12)).toMatchObject([{ handle }]);
    expect(problems).toEqual([]);
  });

  it("warns of a Redis that may drop tasks", async () => {
    const args = ["--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"];
    const { store, problems } = await start({}, { args });
    await store.ready();
    expect(problems).toEqual([
      "Redis may drop tasks when it is full: its maxmemory-policy is allkeys-lru; set it to noeviction",
    ]);
  });

  it("works on a cluster, whichever node its URL names", async () => {
    await cluster?.whole;
    const owners = new Set<number>();
    for (let tries = 0; owners.size < 2 && tries < 30; tries++) {
      const store = open({ url: cluster?.nodes[0].url ?? "" });
      const other = open({ url: cluster?.nodes[1].url ?? "", namespace: store.namespace });
      await Promise.all([store.ready(), other.ready()]);
      const { handle } = (await store.begin(execution({}, "k1"), "k1")).execution;
      expect(await other.begin(execution({}, "k2"), "k2")).toMatchObject({ outcome: "attached" });
      await store.answered(handle, "running");
      const ended = waitFor(store, (await store.find(handle)) as Execution, hasEnded, forever);
      await other.update(handle, { status: "complete", ended_at: 1 });
      expect(await ended).toMatchObject({ status: "complete", first_answer: "running" });
      expect(await store.begin(execution(), "k2")).toMatchObject({ outcome: "replayed" });
      for (const { url, port } of cluster?.nodes ?? []) {
        const names = await (await client(url)).keys(`*${store.namespace}*`);
        if (names.length > 0) owners.add(port);
      }
      expect(await other.find("t")).toMatchObject({ handle });
      expect(await store.prune(1e12)).toMatchObject([{ handle }]);
    }
    expect(owners.size).toBe(2);
  });

  it("ends a begin that Redis carried out after it was given up", async () => {
    const { redis, store, another } = await start({ patience_ms: 200, lease_ms: 600 });
    await store.ready();
    const given = execution();
    process.kill(redis.pid(), "SIGSTOP");
    await expect(store.begin(given, undefined)).rejects.toMatchObject({ code: "store_unavailable" });
    process.kill(redis.pid(), "SIGCONT");
    const other = another();
    await until(
      "the end of what never ran",
      async () => (await other.find(given.handle))?.status === "failed",
    );
    expect(await other.find(given.handle)).toMatchObject({ retryable: true });
  });
});

describe("the URL of a Redis", () => {
  it.each([
    ["http://h:1", /of another kind/],
    ["redis://", /cannot be read|of another kind/],
    ["redis://h/one", /number of a database, found "one"/],
    ["redis://h?famly=6", /no parameter but prefix, found famly/],
    ["redis://user:top secret@", /cannot be read/],
  ])("%s is refused", (url, message) => {
    const create = () => createRedisStore({ url, namespace: "n" });
    expect(create).toThrow(TypeError);
    expect(create).toThrow(message);
    expect(create).not.toThrow(/secret/);
  });
});
