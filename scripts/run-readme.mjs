/** What the tests of READMEs share: lines of the shell, run from the repository's root. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export const root = fileURLToPath(new URL("../", import.meta.url));

/** What `localhost:8080` of the READMEs is here. */
export const port = await freePort();
const env = {
  ...process.env,
  PORT: String(port),
  DATA_DIR: await mkdtemp(join(tmpdir(), "aieffect-readme-")),
};
const running = [];
afterAll(async () => {
  for (const { child, ended } of running) {
    if (child.exitCode === null)
      process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGINT");
    await ended;
  }
  await rm(env.DATA_DIR, { recursive: true, force: true });
});

/** Starts a line in a process group of its own, so that all that it started can be ended with it. */
export function start(line, more = {}) {
  const child = spawn(line, {
    cwd: root,
    env: { ...env, ...more },
    shell: true,
    detached: process.platform !== "win32",
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  running.push({ child, ended });
  return { ended, output: () => output };
}

export function freePort() {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });
}
