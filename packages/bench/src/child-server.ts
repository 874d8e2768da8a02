import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { endWithThis } from "./leftovers.ts";

/** A program in a process of its own, so that what it does not share is this event loop. */
export interface Child {
  /** Sends a question and resolves with the answer; one at a time. Rejects when the process ends instead. */
  ask<T>(question: unknown): Promise<T>;
  /** The most memory that the process has held so far, in MiB; known where there is /proc. */
  peakMiB(): Promise<number | undefined>;
  stop(): Promise<void>;
}

/** A server in a process of its own, so that the load does not share its event loop. */
export interface ChildServer extends Child {
  url: string;
}

/** Starts `servers/<name>` and waits for it to say its URL. Its output is thrown away, as a full disk would. */
export async function startServer(name: string, env: NodeJS.ProcessEnv = {}): Promise<ChildServer> {
  const { said, ...child } = await startChild(`servers/${name}`, env);
  return { url: said, ...child };
}

/** Starts `clients/<name>` and waits for it to say that it is there; it works when asked. */
export async function startClient(name: string, env: NodeJS.ProcessEnv = {}): Promise<Child> {
  return startChild(`clients/${name}`, env);
}

async function startChild(name: string, env: NodeJS.ProcessEnv): Promise<Child & { said: string }> {
  const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [file], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    // A store that happens to be set here would be measured in place of the one that is meant.
    env: { ...process.env, TASK_STORE: "memory", ...env },
  });
  endWithThis(child);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const next = <T>() =>
    new Promise<T>((resolve, reject) => {
      const onExit = (code: number | null) =>
        reject(new Error(`Expected a message of ${name}, found that it ended with exit code ${code}`));
      child.once("exit", onExit);
      child.once("message", (message) => {
        child.off("exit", onExit);
        resolve(message as T);
      });
    });
  return {
    said: await next<string>(),
    ask<T>(question: unknown) {
      const answer = next<T>();
      child.send(question as object);
      return answer;
    },
    async peakMiB() {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
      const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
      return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
