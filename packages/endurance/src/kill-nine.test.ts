/** A service with TASK_STORE=sqlite:DIR is killed again and again; nothing that it ever told anybody is lost. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { ControlClient, ControlError, type DataReference } from "@aieffect/control-interface";
import { tempFolder, until } from "@aieffect/test-support";
import { expect, it, onTestFinished } from "vitest";
import { chooseSeed, createRandom } from "./random.ts";
import { scale } from "./scale.ts";
import { payloadOf } from "./services/payload-of.ts";
import { type SpawnedService, spawnService } from "./spawn-service.ts";

type Method = "Quick" | "Slow" | "Endless";

/** What callers know of a task. */
interface Known {
  method: Method;
  workflow_id: string;
  task_id: string;
  key: string;
  /** What `running` said. */
  handle?: string;
  /** Somebody saw it complete, perhaps with its output. */
  complete?: { output?: DataReference };
}

/** How a task is found after a kill: what nobody was told of need not be there. */
type Found = "complete" | "lost" | "unknown";

let serial = 0;

function newTask(method: Method): Known {
  const name = `${method}-${++serial}`;
  return { method, workflow_id: `wf-${serial % 3}`, task_id: name, key: `key-${name}` };
}

/** What a service that may be killed at any moment answers: undefined when it was. */
async function unlessKilled<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ControlError && error.code === "unreachable") return undefined;
    throw error;
  }
}

function execute(client: ControlClient, { key, method, workflow_id, task_id }: Known) {
  return client.execute({ method, workflow_id, task_id }, { idempotency_key: key });
}

/** What an orchestrator does with a task, noting what it is told, until the service is gone. */
async function follow(client: ControlClient, task: Known): Promise<void> {
  const answer = await unlessKilled(execute(client, task));
  if (answer?.status === "complete") task.complete = { output: answer.output as DataReference };
  if (answer?.status !== "running") return;
  task.handle = answer.task_id as string;
  for (let last = 0; ; ) {
    const status = await unlessKilled(client.status(task.handle, { wait_s: 20 }));
    if (status === undefined) return;
    const { progress = 0, error } = status.reading;
    expect({ falling: progress < last, error }).toEqual({ falling: false, error: undefined });
    last = progress;
    if (status.reading.status === "complete") break;
  }
  task.complete = {};
  const output = await unlessKilled(client.output(task.handle));
  if (output !== undefined) task.complete.output = output;
}

/** Sends a file, slowly; whether the service lives long enough to take it is not looked at. */
async function upload(url: string, takes_ms: number): Promise<void> {
  const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n';
  async function* body() {
    yield Buffer.from(`${head}a,b\n`);
    await pause(takes_ms);
    yield Buffer.from("1,2\n\r\n--b--\r\n");
  }
  const outgoing = request(`${url}/control/data`, {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b" },
  });
  const over = new Promise<void>((resolve) => void outgoing.on("close", resolve).on("error", () => {}));
  outgoing.on("response", (response) => response.resume().on("error", () => {}));
  Readable.from(body()).pipe(outgoing);
  await over;
}

/** Whether a service that was started again knows all that was told about a task. */
async function check({ client, url }: Started, task: Known): Promise<Found> {
  const id = task.handle ?? task.task_id;
  const status = await client.status(id).catch((error: unknown) => {
    if (error instanceof ControlError && error.peer_status === 404) return undefined;
    throw error;
  });
  if (status === undefined) {
    expect(task).toEqual({ ...task, handle: undefined, complete: undefined });
    return "unknown";
  }
  if (status.reading.status !== "complete") {
    expect(status).toMatchObject({ reading: { status: "failed" }, retryable: true });
    expect(status.reading.error).toMatch(/its work is lost\. Send the task again/);
    expect(task.complete).toBeUndefined();
    return "lost";
  }
  const output = await client.output(id);
  if (task.complete?.output !== undefined) expect(output).toEqual(task.complete.output);
  task.complete = { output };
  // The reference has the port of its time; the payload is where the service is now.
  const payload = await fetch(url + new URL(output.uri).pathname);
  const bytes = Buffer.from(await payload.arrayBuffer());
  expect(bytes.toString()).toBe(payloadOf(task.task_id));
  expect(output.checksum).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
  return "complete";
}

/** A sequential task whose answer never came can be asked for again under its key. */
async function askAgain({ client }: Started, task: Known, found: Found): Promise<void> {
  let answer = await execute(client, task);
  if (found === "lost") {
    // So it stays under that key (R-IDEM-01); a new attempt has a new one.
    expect(answer).toMatchObject({ status: "failed", retryable: true });
    task.key += "-again";
    answer = await execute(client, task);
  }
  expect(answer).toMatchObject({ status: "complete", output: task.complete?.output ?? { protocol: "http" } });
  task.complete = { output: (answer as { output: DataReference }).output };
}

function startIn(folder: string): SpawnedService {
  const places = { DATA_DIR: join(folder, "data"), TASK_STORE: `sqlite:${join(folder, "state")}` };
  return spawnService("mortal", places);
}

/** A service that listens, and a client of it. */
interface Started {
  url: string;
  client: ControlClient;
}

async function listening(service: SpawnedService): Promise<Started> {
  const url = await service.listening();
  const client = new ControlClient({ base_url: url, max_idle_connections: 64 });
  onTestFinished(() => client.close());
  return { url, client };
}

const seed = chooseSeed();
const rounds = scale({ short: 8, full: 100 });

it(`survives ${rounds} kills in the middle of its work (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const folder = await tempFolder();
  const all: Known[] = [];
  const counts: Record<Found, number> = { complete: 0, lost: 0, unknown: 0 };
  let service = startIn(folder);
  for (let round = 0; round < rounds; round++) {
    const { client } = await listening(service);
    const tasks = Array.from({ length: 20 }, () =>
      newTask(random() < 0.1 ? "Endless" : random() < 0.5 ? "Quick" : "Slow"),
    );
    all.push(...tasks);
    const followed = tasks.map(async (task) => {
      await pause(random() * 60);
      await follow(client, task);
    });
    const { url } = await listening(service);
    const uploads = Array.from({ length: 5 }, () => upload(url, random() * 100));
    await pause(10 + random() * 120);
    await service.kill();
    await Promise.all([...followed, ...uploads]);

    service = startIn(folder);
    const again = await listening(service);
    const older = Array.from({ length: 10 }, () => all[Math.floor(random() * all.length)] as Known);
    for (const task of new Set([...tasks, ...older])) {
      const unanswered = task.method === "Quick" && task.complete === undefined;
      const found = await check(again, task);
      if (unanswered) await askAgain(again, task, found);
      counts[found]++;
    }
  }
  const last = await listening(service);
  for (const task of all) await check(last, task);
  await until("no folder to be there without a task", async () => {
    const folders = await readdir(join(folder, "data"), { recursive: true, withFileTypes: true });
    for (const { name, parentPath } of folders) {
      if (dirname(parentPath) !== folder && dirname(dirname(parentPath)) === folder) {
        const { status } = await fetch(`${last.url}/control/status/${name.replace(/~\d+$/, "")}`);
        if (status !== 200) return false;
      }
    }
    return true;
  });
  // Otherwise nothing was proved: some must have been seen complete, some lost.
  expect(counts.complete).toBeGreaterThan(rounds);
  expect(counts.lost).toBeGreaterThan(rounds / 2);
});

it(`survives kills while it opens its store (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const folder = await tempFolder();
  const first = startIn(folder);
  const { client } = await listening(first);
  const tasks = [
    ...Array.from({ length: 20 }, () => newTask("Slow")),
    ...Array.from({ length: 300 }, () => newTask("Endless")),
  ];
  const followed = tasks.map((task) => follow(client, task));
  await until("some to be complete", () => tasks.filter(({ complete }) => complete?.output).length > 10);
  await until("all to have begun", () => tasks.every(({ handle }) => handle !== undefined));
  await first.kill();
  await Promise.all(followed);
  for (let kill = 0; kill < scale({ short: 4, full: 30 }); kill++) {
    const opening = startIn(folder);
    await until("it to open its store", () => opening.said().includes("opening"), 30_000);
    await pause(random() * 30);
    await opening.kill();
  }
  const last = await listening(startIn(folder));
  const found = await Promise.all(tasks.map((task) => check(last, task)));
  expect(found.filter((one) => one === "complete").length).toBeGreaterThan(10);
  expect(found.filter((one) => one === "lost").length).toBeGreaterThanOrEqual(300);
});
