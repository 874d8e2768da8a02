import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const use_case = fileURLToPath(new URL("..", import.meta.url));

/** A program that runs, with what it has written so far. */
export interface Running {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Its exit code, once it has ended and all output has been read. */
  ended: Promise<number | null>;
}

/**
 * The demo as its users start it, compiled, in a process group of its own like a terminal's job. It
 * is ended with the test.
 */
export function startDemo(args: readonly string[], env: Record<string, string> = {}): Running {
  return start(process.execPath, [`${use_case}dist/demo/main.js`, ...args], env, true);
}

/** The script that submits a workflow. */
export function startSubmission(args: readonly string[], env: Record<string, string> = {}): Running {
  return start("sh", [`${use_case}submit-workflow.sh`, ...args], env);
}

/** A line for a shell, as it was printed. */
export function startShellLine(line: string, env: Record<string, string> = {}): Running {
  return start("sh", ["-c", line], env);
}

function start(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  detached = false,
): Running {
  // Not this run's own variables, which could change what is tested.
  const { SERVICE_API_KEY, ORCHESTRATOR_API_KEY, ORCHESTRATOR_URL, EXECUTION_STYLE, INIT_CWD, ...rest } =
    process.env;
  const child = spawn(command, args, {
    env: { ...rest, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached,
  });
  onTestFinished(() => void child.kill("SIGTERM"));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}
