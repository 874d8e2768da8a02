/** Folders that belong to no task, because a process was killed: they go, and no others. */
import { spawn } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasRedis, needs, startRedis, tempFolder, until } from "@aieffect/test-support";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { createRedisStore, createSqliteStore, defineOperation, type FolderNotes } from "./index.ts";
import { createExecution } from "./tasks/execution.ts";
import { start } from "./testing/start.ts";

const sink = defineOperation({ name: "Sink", sink: true, run: () => undefined });
const publish = defineOperation({ name: "Publish", run: (ctx) => ctx.publish("{}", { format: "json" }) });

/** Starts a program of `src/testing` in a process of its own. */
async function startChild(name: string, args: string[], env: Record<string, string>) {
  const program = fileURLToPath(new URL(`../dist/testing/${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, HOST: "127.0.0.1", PORT: "0", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let log = "";
  child.stdout.on("data", (piece) => {
    log += piece;
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const url = await until("the service", () => /"url":"([^"]+)"/.exec(log)?.[1]);
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  return { url, child, kill };
}

/** Sends the beginning of a file, and its end where that is asked for. */
function beginUpload(url: string, fields = "") {
  const outgoing = request(`${url}/control/data`, {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b" },
  });
  onTestFinished(() => void outgoing.destroy());
  const status = new Promise<number>((resolve) => {
    outgoing
      .on("response", (response) => resolve(response.resume().statusCode ?? 0))
      .on("error", () => resolve(0));
  });
  outgoing.write(
    `${fields}--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n${"x".repeat(100_000)}`,
  );
  return { status, end: () => outgoing.end("\r\n--b--\r\n") };
}

const named = (task_id: string) =>
  [
    ["workflow_id", "wf"],
    ["task_id", task_id],
  ]
    .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join("");

async function foldersIn(data_dir: string): Promise<string[]> {
  const entries = await readdir(data_dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath }) => parentPath.slice(data_dir.length + 1));
}

const arriving = (data_dir: string, folder: string) =>
  until(`an upload in ${folder}`, async () =>
    (await foldersIn(data_dir)).some((one) => one.startsWith(folder)),
  );

describe("with a store in a file", () => {
  it("those of uploads that a kill cut off are removed at the next start", async () => {
    const data_dir = await tempFolder();
    const store = `sqlite:${await tempFolder()}`;
    const { url, kill } = await startChild("upload-service", [], { DATA_DIR: data_dir, TASK_STORE: store });
    const whole = beginUpload(url, named("whole"));
    whole.end();
    expect(await whole.status).toBe(201);
    beginUpload(url);
    beginUpload(url, named("cut"));
    beginUpload(url, named("again"));
    for (const folder of ["uploads", "wf/cut", "wf/again"]) await arriving(data_dir, folder);
    // Another service's.
    await mkdir(join(data_dir, "wf", "foreign"));
    await writeFile(join(data_dir, "wf", "foreign", "mine"), "");
    expect(await foldersIn(data_dir)).toHaveLength(5);
    await kill();
    // The name is another service's by now.
    await rm(join(data_dir, "wf", "again"), { recursive: true });
    await mkdir(join(data_dir, "wf", "between"));
    await mkdir(join(data_dir, "wf", "again"));
    await writeFile(join(data_dir, "wf", "again", "mine"), "");

    const { call, lines } = await start([sink], { data_dir, store });
    await expect.poll(() => foldersIn(data_dir)).toHaveLength(3);
    expect((await foldersIn(data_dir)).sort()).toEqual(["wf/again", "wf/foreign", "wf/whole"]);
    expect((await call("/control/data/whole")).status).toBe(200);
    expect(lines().filter(({ msg }) => String(msg).startsWith("a folder was removed"))).toHaveLength(2);
  });

  it("those of uploads that are coming, and of all that is kept, stay", async () => {
    const { service, url, folder, execute, call } = await start([publish], {
      store: `sqlite:${await tempFolder()}`,
    });
    await execute("Publish", { workflow_id: "wf" });
    const coming = beginUpload(url, named("coming"));
    await arriving(folder, "wf/coming");
    await service.parts.engine.removeLeftFolders();
    coming.end();
    expect(await coming.status).toBe(201);
    await service.parts.engine.removeLeftFolders();
    for (const id of ["coming", "task-1"]) expect((await call(`/control/data/${id}`)).status).toBe(200);
    expect(await service.parts.store.folders?.takeOver()).toEqual([]);
    // Nor is a note left of one that was refused.
    const refused = beginUpload(url, named("refused").replace("wf", "x".repeat(2000)));
    refused.end();
    expect(await refused.status).toBe(422);
  });

  it("those that a kill let nobody put anything into go, and none in which there is something", async () => {
    const [data_dir, dir] = [await tempFolder(), await tempFolder()];
    const planned: string[] = [];
    const first = createSqliteStore({ dir });
    const folders = first.folders as FolderNotes;
    const note: FolderNotes["note"] = async (noted) => {
      planned.push(noted.folder);
      await folders.note(noted);
    };
    // A process that dies is one that never forgets.
    const store = { ...first, folders: { ...folders, note, forget: async () => true } };
    const started = await start([publish], { data_dir, store });
    await started.execute("Publish", { workflow_id: "wf", task_id: "kept" });
    await started.service.close();
    expect(planned).toEqual([join(data_dir, "wf", "kept")]);
    const again = createSqliteStore({ dir });
    for (const name of ["empty", "used", "none"]) {
      const folder = join(data_dir, name === "empty" ? "alone" : "wf", name);
      await again.folders?.note({ folder, handle: name, mark: "unmade" });
    }
    await again.close();
    for (const folder of ["alone/empty", "wf/used", "wf/foreign"])
      await mkdir(join(data_dir, folder), { recursive: true });
    await writeFile(join(data_dir, "wf", "used", "mine"), "");
    const { call } = await start([publish], { data_dir, store: `sqlite:${dir}` });
    await expect.poll(() => readdir(data_dir)).toEqual(["wf"]);
    expect((await readdir(join(data_dir, "wf"))).sort()).toEqual(["foreign", "kept", "used"]);
    expect((await call("/control/data/kept")).status).toBe(200);
  });

  it("those of tasks that were dropped by a process that died before it removed them go as well", async () => {
    const [data_dir, dir] = [await tempFolder(), await tempFolder()];
    const first = createSqliteStore({ dir });
    for (const task_id of ["old", "anew"]) {
      const folder = join(data_dir, "wf", task_id);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "output.json"), "{}");
      const made = createExecution(
        task_id,
        { workflow_id: "wf", task_id, method: "Sink" },
        "sequential",
        "",
        0,
        undefined,
      );
      await first.begin({ ...made, folder }, undefined);
      await first.update(task_id, { status: "complete", folder_bytes: 2, ended_at: 1 });
    }
    expect(await first.prune(Date.now())).toHaveLength(2);
    await first.close();
    await rm(join(data_dir, "wf", "anew"), { recursive: true });
    await mkdir(join(data_dir, "wf", "other"));
    await mkdir(join(data_dir, "wf", "anew"));
    await start([sink], { data_dir, store: `sqlite:${dir}` });
    await expect.poll(() => readdir(join(data_dir, "wf"))).not.toContain("old");
    expect((await readdir(join(data_dir, "wf"))).sort()).toEqual(["anew", "other"]);
  });
});

const skip = needs("redis-server", hasRedis());
const redis = skip ? undefined : await startRedis({ onEnd: afterAll });

describe.skipIf(skip)("with replicas", () => {
  it("those of a replica that died are removed, and of no other", { timeout: 20_000 }, async () => {
    const data_dir = await tempFolder();
    const url = redis?.url ?? "";
    const lease_ms = 900;
    const [dying, paused, alive] = await Promise.all([
      startChild("replica-service", [url, String(lease_ms)], { DATA_DIR: data_dir }),
      startChild("replica-service", [url, String(lease_ms)], { DATA_DIR: data_dir }),
      start([sink], { data_dir, store: createRedisStore({ url, namespace: "replicas", lease_ms }) }),
    ]);
    beginUpload(dying.url, named("dying"));
    const late = beginUpload(paused.url, named("paused"));
    const coming = beginUpload(alive.url, named("alive"));
    for (const task of ["dying", "paused", "alive"]) await arriving(data_dir, `wf/${task}~`);
    const tasks = async () => (await foldersIn(data_dir)).map((folder) => folder.replace(/~.*/, "")).sort();
    const { engine } = alive.service.parts;
    await dying.kill();
    await until("it to be taken for dead", async () => {
      await engine.removeLeftFolders();
      return !(await tasks()).includes("wf/dying");
    });
    expect(await tasks()).toEqual(["wf/alive", "wf/paused"]);

    paused.child.kill("SIGSTOP");
    await until("that to be taken for dead as well", async () => {
      await engine.removeLeftFolders();
      return !(await tasks()).includes("wf/paused");
    });
    paused.child.kill("SIGCONT");
    late.end();
    // Nobody is told that an upload is kept which is not.
    expect(await late.status).toBeGreaterThanOrEqual(500);
    coming.end();
    expect(await coming.status).toBe(201);
    expect(await tasks()).toEqual(["wf/alive"]);
  });
});
