/**
 * The pristine service as a process of its own, for cases that stop and start it. `PORT`,
 * `SERVICE_API_KEY` and `TIME_SCALE` say how it runs; `FAULT` names one of {@link processFaults}.
 */
import { existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { requestFault } from "./faults.ts";
import { type Hooks, type RunningPristine, startPristine, type Task } from "./pristine.ts";
import { firedLine } from "./run-spawned.ts";

/** A fault that only a process can have. */
interface ProcessFault {
  hooks?: Hooks;
  /** Instead of what SIGTERM does in the pristine one. */
  onTerm?: () => void;
}

const fired = () => console.log(firedLine);

const processFaults: Record<string, () => ProcessFault> = {
  "sigterm-ignored": () => ({ onTerm: fired }),
  "sigterm-drops": () => ({
    onTerm() {
      fired();
      // Let the line out.
      setTimeout(() => process.exit(0), 5);
    },
  }),
  "zombie-running": () => ({ hooks: zombieRunning(stateFile()) }),
  "no-restart"() {
    const lock = stateFile();
    if (existsSync(lock)) {
      fired();
      console.error(`${lock} is there: is there another process?`);
      process.exit(1);
    }
    writeFileSync(lock, "");
    return {};
  },
  "leak-64k-per-task": () => ({ hooks: leaking(() => Buffer.alloc(64 * 1024, 1)) }),
  "fd-leak": () => ({ hooks: leaking(() => openSync(import.meta.filename, "r")) }),
  "oversize-kept": () => ({ hooks: keepingBodies() }),
};

/** Something that stays when the process is killed. */
function stateFile(): string {
  const folder = process.env.STATE_DIR;
  if (folder === undefined) throw new TypeError("Expected STATE_DIR, found nothing");
  return join(folder, "state");
}

/** Keeps something of every task for ever. */
function leaking(something: () => unknown): Hooks {
  const kept: unknown[] = [];
  return {
    work(_task, next) {
      kept.push(something());
      if (kept.length === 1) fired();
      return next();
    },
  };
}

/** Reads what is too large, keeps it for ever, and refuses it then. */
function keepingBodies(): Hooks {
  const kept: Buffer[] = [];
  return requestFault((own) => async (request, response) => {
    if (!(Number(request.headers["content-length"]) > 16 * 2 ** 20)) return own(request, response);
    fired();
    for await (const piece of request as AsyncIterable<Buffer>) kept.push(Buffer.from(piece));
    response.writeHead(413, { "content-type": "application/json" }).end('{"detail":"too large"}');
  });
}

/** Remembers over a restart that a task ran, and nothing ever ends it. */
function zombieRunning(file: string): Hooks {
  const before = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  return {
    handle(_body, next) {
      const handle = next();
      writeFileSync(file, `${handle}\n`, { flag: "a" });
      return handle;
    },
    find(id, next) {
      const task = next();
      if (task !== undefined || !before.includes(id)) return task;
      fired();
      return { handle: id, status: "running", progress: 10, error: null } as Task;
    },
  };
}

let lastCall = 0;
let isStopping = false;
const fault = process.env.FAULT === undefined ? {} : (processFaults[process.env.FAULT]?.() ?? {});
const service = await startPristine({
  port: Number(process.env.PORT ?? 0),
  token: process.env.SERVICE_API_KEY,
  time_scale: Number(process.env.TIME_SCALE ?? 1),
  hooks: {
    ...fault.hooks,
    async call(call, next) {
      lastCall = performance.now();
      if (isStopping && call.path === "/control/execute") {
        return { status: 503, headers: { "retry-after": "10" }, body: { detail: "The service is stopping" } };
      }
      return next();
    },
  },
});

/** Takes nothing new, lets what runs end and be fetched, and goes. */
async function stop({ tasks, close }: RunningPristine): Promise<void> {
  isStopping = true;
  const began = performance.now();
  const isBusy = () => [...tasks.values()].some(({ status }) => status === "running");
  while (isBusy() && performance.now() - began < 8000) await pause(10);
  while (performance.now() - lastCall < 150) await pause(10);
  await close();
  process.exit(0);
}

process.on("SIGTERM", fault.onTerm ?? (() => void stop(service)));
