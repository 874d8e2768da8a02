import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/** How a service is started. */
export interface SpawnOptions {
  /** A line for the shell. */
  command: string;
  cwd?: string | undefined;
  /** Added to the environment. */
  env?: Readonly<Record<string, string>>;
  /** Answers 200 when it is ready. */
  health_url: string;
  ready_timeout_ms: number;
  stop_signal: NodeJS.Signals;
  /** Told what the service prints. */
  onOutput?: (text: string) => void;
}

/** A service that the harness started, and may kill and start again. */
export interface SpawnedTarget {
  /** Of the process that serves now. */
  readonly pid: number;
  /** What was added to its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Resident memory of the process and its children, in bytes; undefined where the system does not tell. */
  rss(): Promise<number | undefined>;
  /** How many files and sockets it has open; undefined where the system does not tell. */
  openFiles(): Promise<number | undefined>;
  /** Sends a signal to all its processes; resolves with what it ended with, or undefined when it did not in time. */
  stop(
    signal: NodeJS.Signals,
    timeout_ms: number,
  ): Promise<{ code: number | null; took_ms: number } | undefined>;
  /** Kills what is left and starts it again; resolves, when it is ready, with how long that took. */
  restart(): Promise<number>;
  /** How long the first start took, in ms. */
  readonly startup_ms: number;
  /** Ends it for good. */
  close(): Promise<void>;
}

const longestOutput = 8000;

/** Starts a service and waits until it is healthy. @throws Error with the end of its output when it never is */
export async function spawnTarget(options: SpawnOptions): Promise<SpawnedTarget> {
  let child: ChildProcess;
  let ended: Promise<number | null>;
  let printed = "";

  async function start(): Promise<number> {
    const began = performance.now();
    printed = "";
    // A group of its own, so that a shell's children go with it.
    child = spawn(options.command, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      shell: true,
      detached: process.platform !== "win32",
      stdio: ["ignore", "pipe", "pipe"],
    });
    ended = new Promise((resolve) => child.once("exit", resolve));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        printed = (printed + chunk).slice(-longestOutput);
        options.onOutput?.(String(chunk));
      });
    }
    for (;;) {
      const sick = await whatIsWrong(options.health_url);
      if (sick === undefined) break;
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(
          `Expected "${options.command}" to serve, it ended with ${child.exitCode ?? child.signalCode}\n${printed}`,
        );
      }
      if (performance.now() - began > options.ready_timeout_ms) {
        signal("SIGKILL");
        throw new Error(
          `Expected ${options.health_url} to answer 200 within ${options.ready_timeout_ms} ms of starting "${options.command}"; the last time it ${sick}\n${printed}`,
        );
      }
      await pause(25);
    }
    return performance.now() - began;
  }

  function signal(name: NodeJS.Signals): void {
    const { pid } = child;
    if (pid === undefined) return;
    try {
      if (process.platform === "win32") child.kill(name);
      else process.kill(-pid, name);
    } catch {
      // It ended between the question and the signal.
    }
  }

  /** A shell may be gone, and what it started not. */
  async function allEnded(): Promise<number | null> {
    const code = await ended;
    while (await hasProcesses(child.pid as number)) await pause(10);
    return code;
  }

  async function stop(name: NodeJS.Signals, timeout_ms: number) {
    const began = performance.now();
    signal(name);
    const timer = new AbortController();
    const late = pause(timeout_ms, "late" as const, { signal: timer.signal }).catch(() => "late" as const);
    const code = await Promise.race([allEnded(), late]);
    timer.abort();
    return code === "late" ? undefined : { code, took_ms: performance.now() - began };
  }

  const startup_ms = await start();
  return {
    get pid() {
      return child.pid as number;
    },
    startup_ms,
    env: options.env ?? {},
    rss: () => sumOverProcesses(child.pid as number, readRss),
    openFiles: () => sumOverProcesses(child.pid as number, countFiles),
    stop,
    async restart() {
      await stop("SIGKILL", 5000);
      return start();
    },
    async close() {
      if ((await stop(options.stop_signal, 10_000)) === undefined) await stop("SIGKILL", 5000);
    },
  };
}

/** Whether any process of a group lives; one that nobody has waited for does not. */
async function hasProcesses(group: number): Promise<boolean> {
  if (process.platform === "win32") return false;
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  const names = await readdir("/proc").catch(() => undefined);
  if (names === undefined) return true;
  const stats = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")),
  );
  // After the name in brackets: state, parent, group.
  return stats.some((stat) => {
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(pgrp) === group && state !== "Z";
  });
}

/** Why a service is not ready; undefined where it is. */
async function whatIsWrong(health_url: string): Promise<string | undefined> {
  const stop = AbortSignal.timeout(2000);
  try {
    const reply = await fetch(health_url, { signal: stop, headers: { connection: "close" } });
    // What is not read to its end keeps a connection, of which some servers have but one.
    await reply.body?.cancel();
    return reply.ok ? undefined : `answered ${reply.status}`;
  } catch (error) {
    if (stop.aborted) return "gave no answer within 2 s";
    const { message, cause } = error as Error;
    // What fetch says itself is no more than that it failed.
    const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message;
    return `could not be asked: ${reason}`;
  }
}

async function sumOverProcesses(
  pid: number,
  of: (pid: number) => Promise<number | undefined>,
): Promise<number | undefined> {
  const all = await familyOf(pid);
  const values = await Promise.all(all.map(of));
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}

/** The process and all below it, where /proc tells. */
async function familyOf(pid: number): Promise<number[]> {
  const below = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const children = below.trim().split(/\s+/).filter(Boolean).map(Number);
  return [pid, ...(await Promise.all(children.map(familyOf))).flat()];
}

async function readRss(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

async function countFiles(pid: number): Promise<number | undefined> {
  return (await readdir(`/proc/${pid}/fd`).catch(() => undefined))?.length;
}
