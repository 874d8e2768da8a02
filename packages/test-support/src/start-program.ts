import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";

/** A program that runs, with what it has written so far. */
export interface Running {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Its exit code, once it has ended and all output has been read. */
  ended: Promise<number | null>;
}

/** How {@link startProgram} runs a program. */
export interface StartProgramOptions {
  /** Variables beside this process's own. @default none */
  env?: Readonly<Record<string, string>>;
  /** In a process group of its own, like a terminal's job. @default false */
  detached?: boolean;
}

/** Variables that could change what is tested. */
const ours = [
  "SERVICE_API_KEY",
  "ORCHESTRATOR_API_KEY",
  "ORCHESTRATOR_URL",
  "EXECUTION_STYLE",
  "GRPC_REQUIRE_KEY",
  "INIT_CWD",
];

/** Starts a program; it is ended with the test. */
export function startProgram(
  command: string,
  args: readonly string[],
  { env = {}, detached = false }: StartProgramOptions = {},
): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !ours.includes(name));
  const child = spawn(command, args, {
    env: { ...Object.fromEntries(inherited), ...env },
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
