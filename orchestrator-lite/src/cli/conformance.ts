import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { readStartFolder } from "../environment.ts";
import { exitCodes } from "./exit-codes.ts";
import type { ConformanceArguments } from "./read-arguments.ts";
import { UsageError } from "./usage-error.ts";

/** Commands that the harness has beside `test`, which is meant where none is named. */
const commands = [
  "test",
  "list",
  "explain",
  "init",
  "baseline",
  "matrix",
  "selftest",
  "serve-fixtures",
  "help",
];

/** Starts `aieffect-conformance` where it is installed, and gives its exit code. @throws UsageError saying how to install it */
export async function conformance({ args }: ConformanceArguments, interrupted: AbortSignal): Promise<number> {
  const entry = findHarness();
  if (entry === undefined) {
    throw new UsageError(
      "Expected @aieffect/conformance to be installed, found nothing; install it with: npm install --save-dev @aieffect/conformance",
    );
  }
  const [first = ""] = args;
  const isCommand = commands.includes(first) || first === "--help" || first === "-h" || first === "--version";
  const child = spawn(process.execPath, [entry, ...(isCommand ? args : ["test", ...args])], {
    stdio: "inherit",
  });
  interrupted.addEventListener("abort", () => {
    // A terminal sends Ctrl-C to both; what was sent to this process alone is handed on.
    const isShared = interrupted.reason === exitCodes.interrupted && process.stdin.isTTY;
    if (!isShared) child.kill("SIGINT");
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? (interrupted.reason as number | undefined) ?? 1));
  });
}

/** The command's file: beside this package, or in the user's project. The harness depends on this package, so not the other way. */
function findHarness(): string | undefined {
  for (const from of [import.meta.url, join(readStartFolder(), "package.json")]) {
    try {
      const main = createRequire(from).resolve("@aieffect/conformance");
      return join(main, "../../bin/aieffect-conformance.mjs");
    } catch {
      // Not there; perhaps the next one knows it.
    }
  }
  return undefined;
}
