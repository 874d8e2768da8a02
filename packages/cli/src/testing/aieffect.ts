import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const main = fileURLToPath(new URL("../../bin/aieffect.mjs", import.meta.url));

/** A command that runs. */
export interface RunningCommand {
  child: ChildProcess;
  /** What it has printed so far, both streams. */
  printed(): string;
  ended: Promise<{ out: string; err: string; code: number | null }>;
}

/** Starts the real command in a folder. @param env what differs from this process's environment */
export function startAieffect(args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): RunningCommand {
  if (!existsSync(fileURLToPath(new URL("../../dist/main.js", import.meta.url)))) {
    throw new Error("Expected packages/cli to be built; build it first: npx tsc -b packages/cli");
  }
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, INIT_CWD: cwd, PORT: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      printed += chunk;
    });
  }
  const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
  const ended = Promise.all([buffer(child.stdout), buffer(child.stderr), closed]).then(
    ([out, err, code]) => ({ out: String(out), err: String(err), code }),
  );
  return { child, printed: () => printed, ended };
}

/** Runs the real command in a folder to its end. */
export function aieffect(args: string[], cwd: string, env?: NodeJS.ProcessEnv) {
  return startAieffect(args, cwd, env).ended;
}
