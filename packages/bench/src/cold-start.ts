import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Bench, median } from "./figure.ts";
import { freePort } from "./free-port.ts";

const rounds = 7;

/** From starting the process to the first answer of /health, and what the process holds when idle. */
export const coldStart: Bench = {
  name: "cold-start",
  about: "ms from spawning `aieffect-orchestrator serve` to its first answer, and its memory when idle",
  async run(report) {
    const times: number[] = [];
    const bare: number[] = [];
    const memory: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const port = await freePort();
      const { ms, rss } = await startOnce([orchestratorMain(), "serve", "--port", String(port)], port);
      times.push(ms);
      if (rss !== undefined) memory.push(rss);
      const other = await freePort();
      const script = `require("node:http").createServer((q,s)=>s.end()).listen(${other},"127.0.0.1")`;
      bare.push((await startOnce(["-e", script], other)).ms);
    }
    const value = median(times);
    report({ metric: "bare start", value: median(bare), unit: "ms", baseline: null, ratio: null });
    report({
      metric: "orchestrator start",
      value,
      unit: "ms",
      baseline: "node:http",
      ratio: value / median(bare),
    });
    if (memory.length > 0) {
      report({
        metric: "orchestrator idle",
        value: median(memory),
        unit: "MiB",
        baseline: null,
        ratio: null,
      });
    }
  },
};

async function startOnce(args: string[], port: number): Promise<{ ms: number; rss: number | undefined }> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  try {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
      if (answer?.ok) break;
      if (child.exitCode !== null)
        throw new Error(`The process ended with exit code ${child.exitCode} before it answered`);
      await pause(1);
    }
    const ms = performance.now() - began;
    await pause(500);
    return { ms, rss: await residentMiB(child.pid) };
  } finally {
    child.kill("SIGTERM");
    await exited;
  }
}

/** Known where there is /proc. */
async function residentMiB(pid: number | undefined): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}

function orchestratorMain(): string {
  const index = createRequire(import.meta.url).resolve("@aieffect/orchestrator-lite");
  return join(dirname(index), "cli", "main.js");
}
