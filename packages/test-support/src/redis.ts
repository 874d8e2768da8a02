import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { until } from "./until.ts";

/** A Redis that a test has for itself. */
export interface TestRedis {
  /** `redis://127.0.0.1:<port>` */
  url: string;
  port: number;
  /** Its process, to be paused; another one after a new start. */
  pid(): number;
  /** Kills it; what it kept stays on disk if it was started to keep. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and folder. */
  restart(): Promise<void>;
}

/** How {@link startRedis} starts it. */
export interface StartRedisOptions {
  /** Keep data over a kill. @default false */
  keeps?: boolean;
  /** Further arguments, as `["--requirepass", "x"]`. */
  args?: readonly string[];
  /** Takes what ends it; `afterAll`, for one that a whole file uses. @default when the test has ended */
  onEnd?: (end: () => Promise<void>) => void;
}

let found: boolean | undefined;

/** Whether redis-server is installed, for `needs("redis-server", hasRedis())`. */
export function hasRedis(): boolean {
  found ??= spawnSync("redis-server", ["--version"]).status === 0;
  return found;
}

/** Starts a Redis on a free port of 127.0.0.1, with its data in a folder that goes with it. */
export async function startRedis({
  keeps = false,
  args = [],
  onEnd = (end) => onTestFinished(end),
}: StartRedisOptions = {}): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), "aieffect-redis-"));
  const port = await freePort();
  const keeping = keeps ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const own = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", ""];
    const started = spawn("redis-server", [...own, ...keeping, ...args], { stdio: "ignore" });
    child = started;
    await until(`redis-server on port ${port}`, () => {
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`);
      return answers(port);
    });
  }

  async function kill(): Promise<void> {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = new Promise((resolve) => ending.once("exit", resolve));
    ending.kill("SIGKILL");
    await ended;
  }

  // Should the test run itself be ended.
  const orphaned = () => child?.kill("SIGKILL");
  process.once("exit", orphaned);
  onEnd(async () => {
    process.off("exit", orphaned);
    await kill();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  await start();
  return { url: `redis://127.0.0.1:${port}`, port, pid: () => child?.pid as number, kill, restart: start };
}

/** Whether it answers, be it that it wants a password. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.once("data", (data) => {
      socket.destroy();
      resolve(/^(\+PONG|-NOAUTH)/.test(data.toString()));
    });
    socket.once("error", () => resolve(false));
  });
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
