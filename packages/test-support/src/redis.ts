import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { until } from "./until.ts";

/** A Redis that a test has for itself. */
export interface TestRedis {
  /** `redis://127.0.0.1:<port>` */
  url: string;
  port: number;
  /** On which it talks with other nodes of its cluster. */
  cluster_port: number;
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
  /** As a node of a cluster. @default false */
  cluster?: boolean;
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
  cluster = false,
  args = [],
  onEnd = (end) => onTestFinished(end),
}: StartRedisOptions = {}): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), "aieffect-redis-"));
  const [port = 0, cluster_port = 0] = await freePorts(2);
  const asNode = cluster ? ["--cluster-enabled", "yes", "--cluster-port", String(cluster_port)] : [];
  const keeping = keeps ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const own = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", ""];
    const started = spawn("redis-server", [...own, ...keeping, ...asNode, ...args], { stdio: "ignore" });
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
  const pid = () => child?.pid as number;
  return { url: `redis://127.0.0.1:${port}`, port, cluster_port, pid, kill, restart: start };
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

/** Held together, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
