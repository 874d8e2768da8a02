import { spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { ScaffoldError } from "@aieffect/generators";
import type { Given } from "./arguments.ts";

/** What is done with a project that has been written. */
interface AfterwardsOptions {
  given: Given;
  pm: string;
  name: string;
  say(text: string): void;
}

/** A step of the verification, and how long it took. */
interface Verified {
  step: string;
  seconds: number;
}

/**
 * Installs, verifies and commits, as far as the flags say. What the programs write goes to a log in
 * the system's temporary folder, which is kept where one of them fails.
 * @throws ScaffoldError AE1502 or AE1601; the project is kept
 */
export async function afterwards(
  folder: string,
  { given, pm, name, say }: AfterwardsOptions,
): Promise<Verified[] | undefined> {
  if (!given.install && !given.verify && !given.git) return undefined;
  const log = join(mkdtempSync(join(tmpdir(), "create-aieffect-service-")), `${name}.log`);
  const out = createWriteStream(log);
  const state = `the project is kept in ${folder}; the log is ${log}`;
  const began = performance.now();
  const verified: Verified[] = [];
  const step = async (label: string, program: string, args: readonly string[], code: "AE1502" | "AE1601") => {
    const start = performance.now();
    const { status, tail } = await runProgram(program, args, folder, out);
    const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
    // It may be told of the signal before this program is.
    if (status === "SIGINT") throw new ScaffoldError("AE1901", { message: "cancelled", state });
    if (status !== 0) {
      const isMissing = String(status).endsWith("ENOENT");
      const tries = [isMissing ? `install ${program} first` : `${commandLine(program, args)}, in ${folder}`];
      throw new ScaffoldError(code, {
        where: label,
        message: `Expected ${commandLine(program, args)} to end with 0, found ${status}:\n${tail.trim()}`,
        state,
        tries,
      });
    }
    verified.push({ step: label, seconds });
    say(`  ok  ${label} (${seconds} s)\n`);
    return tail;
  };
  try {
    // Before the first commit, so that the lockfile is in it.
    if (given.install || given.verify) {
      await step(
        "installed",
        pm,
        pm === "npm" ? ["install", "--no-audit", "--no-fund"] : ["install"],
        "AE1502",
      );
    }
    if (given.verify) {
      const script = (script: string) => ["run", script];
      await step("types are right", pm, script("typecheck"), "AE1601");
      const isExample = given.example !== undefined;
      const label = isExample ? "ran to its end" : "started, an orchestrator ran a task on it";
      const said = await step(label, pm, script(isExample ? "demo" : "smoke"), "AE1601");
      for (const line of said.split("\n").filter((one) => one.startsWith("complete"))) say(`      ${line}\n`);
      say(`      ${((performance.now() - began) / 1000).toFixed(1)} s after the files were written\n`);
      if (!isExample) await step("tested, conformance included", pm, script("test"), "AE1601");
      say(`  verified ${((performance.now() - began) / 1000).toFixed(1)} s after it was written\n`);
    }
    if (given.git && (await isBelowRepository(folder))) {
      say("  --  it lies in a repository already, and is yours to commit there\n");
    } else if (given.git) {
      await step("a repository", "git", ["init", "-q"], "AE1502");
      await step("with everything in it", "git", ["add", "-A"], "AE1502");
      await step("and a first commit", "git", ["commit", "-q", "-m", `Create ${name}`], "AE1502");
    }
  } finally {
    await new Promise<void>((resolve) => out.end(resolve));
  }
  // Only what failed has to be looked up.
  rmSync(dirname(log), { recursive: true });
  return given.verify ? verified : undefined;
}

/** Whether it lies below the root of a repository; one within another is seldom meant. */
async function isBelowRepository(folder: string): Promise<boolean> {
  const args = ["rev-parse", "--show-prefix"];
  const { status, tail } = await runProgram("git", args, folder, new PassThrough().resume());
  return status === 0 && tail.trim() !== "";
}

/** As a shell takes it. */
function commandLine(program: string, args: readonly string[]): string {
  return [program, ...args].map((word) => (/^[\w./:=@-]+$/.test(word) ? word : `"${word}"`)).join(" ");
}

function runProgram(program: string, args: readonly string[], cwd: string, log: NodeJS.WritableStream) {
  const windows = process.platform === "win32";
  const child = spawn(program, [...args], { cwd, shell: windows, stdio: ["ignore", "pipe", "pipe"] });
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      log.write(chunk);
      tail = (tail + chunk.toString()).slice(-4000);
    });
  }
  return new Promise<{ status: number | string; tail: string }>((resolve) => {
    child.once("error", (error) => resolve({ status: error.message, tail }));
    child.once("close", (code, signal) => resolve({ status: code ?? signal ?? "nothing", tail }));
  });
}
