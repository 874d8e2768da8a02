import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { until } from "@aieffect/test-support";
import { onTestFinished } from "vitest";

/** A service in a process of its own. */
export interface SpawnedService {
  child: ChildProcess;
  /** What it has said so far, on both outputs. */
  said(): string;
  /** Its URL, once it listens. @throws Error with what it said when it ends before that */
  listening(): Promise<string>;
  /** Ends it as a loss of power would, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts `services/<name>` on a free port; it is killed when the test has ended. `command` goes before node, as `prlimit` does. */
export function spawnService(
  name: string,
  env: Record<string, string>,
  command: readonly string[] = [],
): SpawnedService {
  const file = fileURLToPath(new URL(`../dist/services/${name}.js`, import.meta.url));
  const [program = "", ...args] = [...command, process.execPath, file];
  const child = spawn(program, args, {
    env: { ...process.env, HOST: "127.0.0.1", PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said += chunk;
    });
  }
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const kill = async () => {
    child.kill("SIGKILL");
    await gone;
  };
  onTestFinished(kill);
  return {
    child,
    said: () => said,
    async listening() {
      const url = await until(
        `${name} to listen`,
        () => {
          if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${said}`);
          return /"url":"([^"]+)".*"msg":"listening"/.exec(said)?.[1];
        },
        30_000,
      );
      return url;
    },
    kill,
  };
}
