import { fileURLToPath } from "node:url";
import { type Running, startProgram } from "@aieffect/test-support";

const use_case = fileURLToPath(new URL("..", import.meta.url));

/** The demo as its users start it, compiled, in a process group of its own like a terminal's job. */
export function startDemo(args: readonly string[], env: Record<string, string> = {}): Running {
  return startProgram(process.execPath, [`${use_case}dist/demo/main.js`, ...args], { env, detached: true });
}

/** The script that submits a workflow. */
export function startSubmission(args: readonly string[], env: Record<string, string> = {}): Running {
  return startProgram("sh", [`${use_case}submit-workflow.sh`, ...args], { env });
}

/** A line for a shell, as it was printed. */
export function startShellLine(line: string, env: Record<string, string> = {}): Running {
  return startProgram("sh", ["-c", line], { env });
}
