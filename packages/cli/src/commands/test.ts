import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathOf } from "../arguments.ts";
import { readEnvironment } from "../environment.ts";
import { CliError, type ProblemName } from "../errors/cli-error.ts";
import { exitCodes } from "../exit-codes.ts";
import { serviceUrl } from "../service-url.ts";
import { gatherManifest } from "../test-manifest.ts";

/** The harness writes the reports of what ran before it ends. */
export const endsItself = true;

/** What the harness has beside judging, which is meant where none is named. */
const others = ["list", "explain", "init", "baseline", "matrix", "selftest", "serve-fixtures", "help"];

/** Kinds of reports that need no file: they go to standard output then. */
const reports = ["json", "junit", "md", "html", "badge", "ndjson"];

/** What the harness ends with, in the words of this command. */
const ends: Readonly<Record<number, ProblemName>> = {
  1: "not-conformant",
  2: "not-conformant",
  3: "not-conformant",
  64: "usage",
  69: "service-unreachable",
  70: "internal-error",
  130: "cancelled",
};

/** Judges a service with the conformance harness, in a process of its own. */
export async function run(args: string[], interrupted: AbortSignal): Promise<number> {
  if (others.includes(args[0] ?? "")) return runHarness(args, false, interrupted);
  const given = toHarness(args);
  const manifest = isConfigured(given) ? undefined : await gatherManifest(process.cwd());
  try {
    const config = manifest === undefined ? [] : ["--config", manifest.file];
    return await runHarness(["test", ...given, ...config], args.includes("--json"), interrupted);
  } finally {
    await manifest?.remove();
  }
}

async function runHarness(args: readonly string[], json: boolean, interrupted: AbortSignal): Promise<number> {
  const child = spawn(process.execPath, [findHarness(), ...args], {
    stdio: ["inherit", "inherit", json ? "pipe" : "inherit"],
  });
  interrupted.addEventListener("abort", () => {
    // A terminal sends Ctrl-C to both; what was sent to this process alone is handed on.
    if (!process.stdin.isTTY) child.kill("SIGINT");
  });
  const [code, said] = await Promise.all([
    new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (ended) => resolve(ended ?? exitCodes.interrupted));
    }),
    child.stderr === null ? "" : text(child.stderr),
  ]);
  const problem = ends[code];
  if (problem === undefined) return code;
  const error = new CliError(problem, said.trim() || `The conformance harness ended with ${code}`);
  // The harness has said already what is wrong; programs have its report, where there is one.
  if (!json || code < 64) return error.exitCode;
  throw error;
}

/** The flags of the harness: with an URL, and with reports that need no file. */
function toHarness(args: readonly string[]): string[] {
  const given = args.flatMap((arg, index) => {
    if (arg === "--json") return ["--report", "json=-"];
    const isKind = args[index - 1] === "--report" && reports.includes(arg);
    if (isKind) return [`${arg}=-`];
    const [, kind = ""] = /^--report=(\w+)$/.exec(arg) ?? [];
    return reports.includes(kind) ? [`--report=${kind}=-`] : [arg];
  });
  const isTold = given.some((arg, index) => isTarget(arg, given[index - 1]));
  const isInEnvironment = readEnvironment().AIEFFECT_CONFORMANCE_URL !== undefined;
  return isTold || isInEnvironment || hasManifest()
    ? given
    : [...given, "--url", serviceUrl(undefined).origin];
}

/** Whether what may be called is told already: in a manifest of the user's, or by flags. */
function isConfigured(args: readonly string[]): boolean {
  return hasManifest() || args.some((arg) => /^--(config|method)(=|$)/.test(arg));
}

function hasManifest(): boolean {
  return existsSync(pathOf("conformance.yaml"));
}

/** Whether an argument says what is judged. */
function isTarget(arg: string, before: string | undefined): boolean {
  return /^--(url|spawn|config)(=|$)/.test(arg) || (/^https?:\/\//.test(arg) && !before?.startsWith("--"));
}

function findHarness(): string {
  try {
    const main = createRequire(import.meta.url).resolve("@aieffect/conformance");
    return join(main, "../../bin/aieffect-conformance.mjs");
  } catch (cause) {
    throw new CliError("package-missing", "Expected @aieffect/conformance beside aieffect, found nothing", {
      fixes: ["install aieffect again: npm install --save-dev @aieffect/cli"],
      cause,
    });
  }
}
