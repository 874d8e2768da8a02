import { spawn } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { tempFolder, until } from "@aieffect/test-support";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMemoryStore, defineOperation, type TaskStore } from "../index.ts";
import { createExecution, type Execution } from "../tasks/execution.ts";
import { describeDurableStore } from "../testing/durable-store-suite.ts";
import { start } from "../testing/start.ts";
import { describeTaskStore } from "../testing/task-store-suite.ts";
import { createSqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";
import type { Retention } from "./task-store.ts";

const create = (dir: string, retention: Retention = {}) => createSqliteStore({ dir, retention });

describeTaskStore("sqlite", async (retention) => create(await tempFolder(), retention));
describeDurableStore("sqlite", async () => {
  const dir = await tempFolder();
  return (retention) => create(dir, retention);
});

const Database = createRequire(import.meta.url)("libsql") as typeof import("libsql");
const dist = fileURLToPath(new URL("../../dist/", import.meta.url));

async function open(options: Partial<SqliteStoreOptions> = {}): Promise<TaskStore> {
  const store = createSqliteStore({ dir: await tempFolder(), ...options });
  onTestFinished(() => store.close());
  await store.ready();
  return store;
}

let serial = 0;

function task(fields: Partial<Execution> = {}): Execution {
  const { workflow_id = "w", task_id = "t", fingerprint = "same", idempotency_keys = [] } = fields;
  const request = { workflow_id, task_id, method: "Work" };
  return createExecution(`s-${++serial}`, request, "concurrent", fingerprint, 0, idempotency_keys[0]);
}

function inline(bytes: number) {
  return { protocol: "inline", uri: "A".repeat(bytes), format: "binary" } as const;
}

/** Starts a program that imports the built kit as `kit`; resolves when it has said something. */
async function spawnProgram(program: string, file = join(dist, "index.js")) {
  const text = `import * as kit from ${JSON.stringify(pathToFileURL(file).href)};\n${program}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", text], {
    // Package managers put the folder of all packages there.
    env: { ...process.env, NODE_PATH: "" },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said += chunk;
    });
  }
  const exited = new Promise((resolve) => child.once("close", resolve));
  await until("the program to say something", () => said !== "" || child.exitCode !== null);
  return { child, exited, said: () => said };
}

describe("a store in a file", () => {
  it("is chosen by name, with a folder that is relative to the working directory", async () => {
    const dir = join(await tempFolder(), "made", "for it");
    const operation = defineOperation({ name: "Work", sink: true, run: () => undefined });
    const { execute, call } = await start([operation], { store: `sqlite:${relative(process.cwd(), dir)}` });
    expect((await execute("Work")).body).toEqual({ status: "complete", output: null });
    expect((await call("/control/status/task-1")).body).toMatchObject({ status: "complete", progress: 100 });
    expect(await readdir(dir)).toContain("tasks.db");
    await expect(start([operation], { store: "sqlite:" })).rejects.toThrow(
      'Expected a folder for the file of tasks, as in TASK_STORE=sqlite:./state, got ""',
    );
  });

  it("says how to install libsql where it is missing", async () => {
    const folder = await tempFolder();
    await cp(dist, join(folder, "dist"), { recursive: true });
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    const modules = join(dist, "..", "node_modules");
    await mkdir(join(folder, "node_modules"));
    for (const name of await readdir(modules)) {
      if (name !== "libsql")
        await symlink(join(modules, name), join(folder, "node_modules", name), "junction");
    }
    const program =
      'try { kit.createSqliteStore({ dir: "x" }) } catch (error) { console.log(String(error)) }';
    const { said, exited } = await spawnProgram(program, join(folder, "dist", "index.js"));
    await exited;
    expect(said().trim()).toBe(
      "TypeError: Expected the package libsql, which keeps tasks in a file, found none; run npm install libsql, or choose TASK_STORE=memory",
    );
  });

  it("belongs to one process, and is free when that is killed", async () => {
    const dir = await tempFolder();
    const { child, exited } = await spawnProgram(
      `const store = kit.createSqliteStore({ dir: ${JSON.stringify(dir)} });
       await store.ready(); console.log("open"); process.stdin.resume();`,
    );
    const store = createSqliteStore({ dir });
    onTestFinished(() => store.close());
    const refusal = await store.ready().catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: "store_unavailable",
      retry_after_s: expect.any(Number),
      detail: "The service cannot reach the store that keeps its tasks; try again later",
      message: expect.stringMatching(
        `^Expected ${join(dir, "tasks.db")} to be free, but process ${child.pid} on .+ \\(since .+\\) has it open; give each service a DIR of its own \\(TASK_STORE=sqlite:DIR\\), and replicas that share their tasks TASK_STORE=redis://host:port$`,
      ),
    });
    child.kill("SIGKILL");
    await exited;
    await store.ready();
    await store.begin(task(), undefined);
  });

  it("is free when it was closed, and takes nothing more then", async () => {
    const dir = await tempFolder();
    const [first, second] = [create(dir), create(dir)];
    await first.ready();
    await expect(second.begin(task(), undefined)).rejects.toThrow("another store in this process");
    // What waits for its transaction is kept, not forgotten.
    const kept = task();
    const begun = first.begin(kept, undefined);
    await first.close();
    await begun;
    await expect(first.find("t")).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(first.ready()).rejects.toThrow("found it closed");
    expect(await second.find("t")).toMatchObject({ handle: kept.handle, status: "failed" });
    await second.close();
    expect(await readdir(dir)).toEqual(["tasks.db"]);
  });

  it("says what is wrong with it and what to do", async () => {
    const dir = await tempFolder();
    const place = async (name: string, fill: (file: string) => unknown) => {
      await mkdir(join(dir, name));
      await fill(join(dir, name, "tasks.db"));
      return join(dir, name);
    };
    const refusal = async (folder: string) => {
      const store = create(folder);
      const error = await store.ready().catch((thrown: unknown) => thrown);
      // It says so as often as it is asked.
      await expect(store.find("t")).rejects.toThrow((error as Error).message);
      await store.close();
      expect(error).toMatchObject({ code: "store_unavailable" });
      return (error as Error).message.replaceAll(dir, "DIR");
    };
    const sql = (text: string) => (file: string) => {
      const database = new Database(file);
      database.exec(text);
      database.close();
    };
    expect(await refusal(await place("garbage", (file) => writeFile(file, "x".repeat(9000))))).toBe(
      "Expected DIR/garbage/tasks.db to be a store of tasks, found a damaged file: file is not a database, SQLITE_NOTADB; stop the service and put a backup in its place, or move it away to begin with an empty one",
    );
    expect(await refusal(await place("other", sql("CREATE TABLE users (id)")))).toContain(
      "found a database of something else; choose another DIR for TASK_STORE=sqlite:DIR",
    );
    expect(
      await refusal(
        await place(
          "future",
          sql("PRAGMA application_id = 0x41494566; PRAGMA user_version = 99; CREATE TABLE t (a)"),
        ),
      ),
    ).toBe(
      "Expected DIR/future/tasks.db to have schema 1, found schema 99, which another version of the kit wrote; use that version, or choose another DIR for TASK_STORE=sqlite:DIR",
    );
    await writeFile(join(dir, "file"), "");
    expect(await refusal(join(dir, "file", "below"))).toMatch(
      /^Expected DIR\/file\/below to be a folder in which the service can write, found: .*ENOTDIR.*; correct that, or choose another DIR for TASK_STORE=sqlite:DIR$/,
    );
  });

  it("notices damage in the middle of it", async () => {
    const dir = await tempFolder();
    const store = create(dir);
    for (let index = 0; index < 200; index++) await store.begin(task({ task_id: `t${index}` }), undefined);
    await store.close();
    const file = join(dir, "tasks.db");
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0xff, 5 * 4096, 20 * 4096));
    const damaged = create(dir);
    await expect(damaged.ready()).rejects.toThrow("found a damaged file");
  });

  it("is not ready when it was removed", async () => {
    const dir = await tempFolder();
    const store = await open({ dir });
    await rm(join(dir, "tasks.db"));
    const removed = `Expected ${join(dir, "tasks.db")} to be there, found it removed or moved;`;
    await expect(store.ready()).rejects.toThrow(removed);
    await expect(store.close()).rejects.toThrow(removed);
  });
});

describe("writes that share a transaction", () => {
  it("are kept together, or not at all", async () => {
    const dir = await tempFolder();
    const store = await open({ dir, max_file_bytes: 400_000 });
    const before = task({ task_id: "before" });
    await store.begin(before, undefined);
    const heard: Execution[] = [];
    store.subscribe(before.handle, (execution) => heard.push(execution));
    const [small, big, late] = [
      task({ task_id: "small" }),
      task({ task_id: "big" }),
      task({ task_id: "late" }),
    ];
    const batch = [
      store.begin(small, undefined),
      store.update(before.handle, { progress: 50 }),
      store.begin(big, undefined),
      store.update(big.handle, { status: "complete", ended_at: 1, output: inline(1_000_000) }),
      store.begin(late, undefined),
    ];
    for (const outcome of await Promise.allSettled(batch)) {
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: {
          code: "storage_full",
          detail: "The service has no room left to keep tasks; try again later",
        },
      });
    }
    for (const { handle } of [small, big, late]) expect(await store.find(handle)).toBeUndefined();
    expect(await store.find("before")).toMatchObject({ progress: 0, steps: [0] });
    expect(heard).toEqual([]);
    // It goes on with what has room, progress of the same task included.
    expect(await store.update(before.handle, { progress: 60 })).toMatchObject({
      progress: 60,
      steps: [0, 60],
    });
    expect(heard).toHaveLength(1);
    expect((await store.begin(small, undefined)).outcome).toBe("started");
  });

  it("see those before them, and give a refusal to its own caller alone", async () => {
    const store = await open();
    const [one, other, refused] = [task(), task({ task_id: "other" }), task({ task_id: "refused" })];
    const [started, attached, no, ended, late, replaced] = await Promise.allSettled([
      store.begin(one, undefined),
      store.begin(task(), "key"),
      store.begin(refused, undefined, () => {
        throw new Error("no room");
      }),
      store.update(one.handle, { status: "complete", ended_at: 1 }),
      store.update(one.handle, { progress: 50 }),
      store.begin(other, undefined),
    ]);
    expect(started).toMatchObject({ value: { outcome: "started" } });
    expect(attached).toMatchObject({ value: { outcome: "attached", execution: { handle: one.handle } } });
    expect(no).toMatchObject({ reason: { message: "no room" } });
    expect(ended).toMatchObject({ value: { status: "complete", progress: 100 } });
    expect(late).toEqual({ status: "fulfilled", value: undefined });
    expect(replaced).toMatchObject({ value: { outcome: "started" } });
    expect(await store.find("refused")).toBeUndefined();
    expect((await store.begin(task(), "key")).outcome).toBe("replayed");
  });

  it("take a flood of progress for one, and lose none of it to who looks later", async () => {
    const store = await open();
    const { handle } = (await store.begin(task(), undefined)).execution;
    const heard: number[] = [];
    store.subscribe(handle, ({ progress }) => heard.push(progress));
    const floods = Array.from({ length: 20_000 }, (_, index) =>
      store.update(handle, { progress: index % 90, ...(index === 7 && { message: "seven" }) }),
    );
    const folder = store.update(handle, { folder: "/f" });
    await Promise.all([...floods, folder]);
    expect(await store.find(handle)).toMatchObject({ progress: 89, message: "seven", folder: "/f" });
    expect(heard).toEqual([89]);
  });

  it("decide as a store in memory does, for any calls in any bundles", async () => {
    const name = fc.constantFrom("a", "b");
    const call = fc.oneof(
      fc.record({
        type: fc.constant("begin" as const),
        workflow_id: name,
        task_id: name,
        fingerprint: name,
        key: fc.constantFrom(undefined, "k1", "k2"),
      }),
      fc.record({
        type: fc.constant("update" as const),
        which: fc.nat(9),
        progress: fc.option(fc.nat(100), { nil: undefined }),
        status: fc.constantFrom(undefined, undefined, "complete" as const, "failed" as const),
      }),
      fc.record({
        type: fc.constant("answered" as const),
        which: fc.nat(9),
        told: fc.constantFrom("running" as const, "end" as const),
      }),
    );
    const sqlite = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(call, { maxLength: 6 }), { maxLength: 8 }), async (bundles) => {
        const memory = createMemoryStore();
        const run = ++serial;
        const handles: string[] = [];
        const play = (
          store: TaskStore,
          { type, ...given }: (typeof bundles)[0][0],
          mine: Execution | undefined,
        ) => {
          const handle = handles["which" in given ? given.which % Math.max(1, handles.length) : 0] ?? "none";
          if (type === "answered" && "told" in given) return store.answered(handle, given.told);
          if (type === "begin" && "key" in given) return store.begin({ ...(mine as Execution) }, given.key);
          const { progress, status } = given as { progress?: number; status?: "complete" | "failed" };
          const change = {
            ...(progress !== undefined && { progress }),
            ...(status && { status, ended_at: 5 }),
          };
          return store.update(handle, change);
        };
        for (const bundle of bundles) {
          const mine = bundle.map((one) =>
            one.type === "begin"
              ? task({
                  workflow_id: `${one.workflow_id}${run}`,
                  task_id: `${one.task_id}${run}`,
                  fingerprint: one.fingerprint,
                  idempotency_keys: one.key === undefined ? [] : [one.key],
                })
              : undefined,
          );
          const answers = [];
          for (const store of [memory, sqlite]) {
            const given = await Promise.all(bundle.map((one, index) => play(store, one, mine[index])));
            answers.push(
              given.map((value) =>
                value === undefined
                  ? "none"
                  : "outcome" in value
                    ? [value.outcome, value.execution.handle]
                    : value.handle,
              ),
            );
          }
          expect(answers[1]).toEqual(answers[0]);
          for (const one of mine) if (one !== undefined) handles.push(one.handle);
        }
        for (const id of [...handles, `a${run}`, `b${run}`]) {
          // A step that another one followed in the same transaction may be left out.
          const seen = async (store: TaskStore) => ({ ...(await store.find(id)), steps: [] });
          expect(await seen(sqlite)).toEqual(await seen(memory));
        }
      }),
    );
  });
});

describe("room in the file", () => {
  it("that retention makes is used again, so that the file does not grow for ever", async () => {
    const dir = await tempFolder();
    const store = await open({ dir, retention: { max_tasks: 20 } });
    const sizes: number[] = [];
    for (let round = 0; round < 8; round++) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const { handle } = (await store.begin(task({ task_id: `t${serial}` }), undefined)).execution;
          await store.update(handle, { status: "complete", ended_at: 1, output: inline(20_000) });
        }),
      );
      expect(await store.prune(100_000)).toHaveLength(round === 0 ? 80 : 100);
      const files = await Promise.all(["tasks.db", "tasks.db-wal"].map((file) => stat(join(dir, file))));
      sizes.push(files.reduce((sum, { size }) => sum + size, 0));
    }
    expect(sizes.at(-1)).toBeLessThan(1.5 * (sizes[1] as number));
  });

  it("that is not needed any more is given back to the disk", async () => {
    const dir = await tempFolder();
    const store = await open({ dir, retention: { max_tasks: 1 } });
    for (let index = 0; index < 12; index++) {
      const { handle } = (await store.begin(task({ task_id: `t${index}` }), undefined)).execution;
      await store.update(handle, { status: "complete", ended_at: 1, output: inline(1_000_000) });
    }
    for (let round = 0; round < 4; round++) await store.prune(100_000);
    await store.close();
    expect((await stat(join(dir, "tasks.db"))).size).toBeLessThan(6_000_000);
  });

  it("is asked for again when there is none, and the store is not ready meanwhile", async () => {
    const store = await open({ max_file_bytes: 2_000_000, retention: { max_tasks: 1 } });
    const end = async (task_id: string) => {
      const { handle } = (await store.begin(task({ task_id }), undefined)).execution;
      await store.update(handle, { status: "complete", ended_at: 1, output: inline(300_000) });
    };
    const filling = async () => {
      for (let index = 0; index < 20; index++) await end(`t${index}`);
    };
    await expect(filling()).rejects.toMatchObject({
      code: "storage_full",
      message: expect.stringMatching(
        /^Expected room in .+tasks\.db, found: database or disk is full, SQLITE_FULL; make room on its disk, or let retention keep less$/,
      ),
    });
    const fillingUp = async () => {
      for (let index = 0; index < 400; index++)
        await store.begin(task({ workflow_id: "x".repeat(900) + index }), undefined);
    };
    await expect(fillingUp()).rejects.toMatchObject({ code: "storage_full" });
    await expect(store.ready()).rejects.toMatchObject({ code: "store_unavailable" });
    expect((await store.prune(100_000)).length).toBeGreaterThan(3);
    await store.ready();
    await end("again");
    expect(await store.find("again")).toMatchObject({ status: "complete" });
  });
});
