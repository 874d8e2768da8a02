import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

/** What a supervisor tells. */
export type ServiceEvent =
  | { type: "starting"; because: string | undefined }
  /** `/health` answers 200. */
  | { type: "ready" }
  /** It does not answer in time; it may still come. */
  | { type: "late"; after_s: number }
  /** It ended without being asked to; `code` is null where a signal ended it. */
  | { type: "ended"; code: number | null }
  | { type: "output"; line: string };

/** What is run, and how. */
export interface SupervisorOptions {
  /** A line for the shell. */
  command: string;
  cwd: string;
  env: NodeJS.ProcessEnv;
  health_url: string;
  onEvent: (event: ServiceEvent) => void;
}

/** Keeps one service running, and starts it anew when told to. */
export interface Supervisor {
  /** Stops what runs and starts it again; asked for again meanwhile, it starts once. */
  restart(because?: string): void;
  /** Stops for good; resolves when nothing of it is left. */
  stop(): Promise<void>;
}

/** After the first signal a service finishes what runs; after the second it aborts it; then it is killed. */
const patience_ms = { reload: 300, end: 2000, kill: 8000 };
/** So long it may take until it answers, before that is told. */
const late_s = 30;

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { onEvent } = options;
  let child: ChildProcess | undefined;
  let closed: Promise<unknown> | undefined;
  let wanted = 0;
  let stopped = false;
  let queue = Promise.resolve();
  const alive = new Set<ChildProcess>();
  // Whatever ends this process, a second Ctrl-C for instance: nothing is left behind.
  const killAll = () => {
    for (const one of alive) signal(one, "SIGKILL");
  };
  process.on("exit", killAll);

  async function start(because: string | undefined): Promise<void> {
    onEvent({ type: "starting", because });
    const mine = spawn(options.command, {
      cwd: options.cwd,
      env: options.env,
      shell: true,
      // A group of its own: Ctrl-C reaches it through us, and what the shell started goes with it.
      detached: process.platform !== "win32",
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = mine;
    alive.add(mine);
    for (const stream of [mine.stdout, mine.stderr]) {
      createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) =>
        onEvent({ type: "output", line }),
      );
    }
    // "close" and not "exit": a shell may be gone while what it started still runs.
    closed = new Promise<void>((resolve) => {
      mine.once("error", (error) => {
        onEvent({ type: "output", line: `could not be started: ${error.message}` });
        resolve();
      });
      mine.once("close", (code) => {
        alive.delete(mine);
        if (child === mine) {
          child = undefined;
          onEvent({ type: "ended", code });
        }
        resolve();
      });
    });
    void awaitHealth(mine);
  }

  async function awaitHealth(mine: ChildProcess): Promise<void> {
    const began = performance.now();
    let isLate = false;
    while (child === mine) {
      if (await isHealthy(options.health_url)) {
        if (child === mine) onEvent({ type: "ready" });
        return;
      }
      if (!isLate && performance.now() - began > late_s * 1000) {
        isLate = true;
        onEvent({ type: "late", after_s: late_s });
      }
      await pause(50);
    }
  }

  async function end(second_ms: number): Promise<void> {
    const mine = child;
    if (mine === undefined) return;
    // From now on its end is no news.
    child = undefined;
    signal(mine, "SIGTERM");
    for (const [after_ms, name] of [
      [second_ms, "SIGTERM"],
      [patience_ms.kill, "SIGKILL"],
    ] as const) {
      const timer = new AbortController();
      const late = pause(after_ms, true, { signal: timer.signal }).catch(() => false);
      const isLate = await Promise.race([late, closed?.then(() => false)]);
      timer.abort();
      if (!isLate) return;
      signal(mine, name);
    }
    await closed;
  }

  return {
    restart(because) {
      const mine = ++wanted;
      queue = queue.then(async () => {
        if (stopped || mine !== wanted) return;
        await end(patience_ms.reload);
        if (!stopped) await start(because);
      });
    },
    async stop() {
      stopped = true;
      await queue;
      await end(patience_ms.end);
      process.off("exit", killAll);
    },
  };
}

function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    if (process.platform === "win32") process.kill(pid, name);
    else process.kill(-pid, name);
  } catch {
    // It ended between the question and the signal.
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    // Not yet.
    return false;
  }
}
