import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type SpawnedTarget, spawnTarget } from "../target/spawn.ts";

/** What a service that runs as a process of its own prints whenever its fault acts. */
export const firedLine = "the fault fired";

// The compiled one, whether this is read as source or compiled: a child has no loader for TypeScript.
const main = fileURLToPath(new URL("../../dist/zoo/pristine-main.js", import.meta.url));

/** The pristine service as a process of its own. */
export interface SpawnedPristine {
  url: string;
  spawned: SpawnedTarget;
  /** How often its fault acted so far. */
  fired(): number;
  close(): Promise<void>;
}

/** Starts `pristine-main` on a free port, with `env` added to the environment; `STATE_DIR` is a folder that outlives it. */
export async function spawnPristine(env: Readonly<Record<string, string>>): Promise<SpawnedPristine> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const folder = await mkdtemp(join(tmpdir(), "aieffect-spawned-"));
  const STATE_DIR = join(folder, "state");
  await mkdir(STATE_DIR);
  // One that is killed cannot clean up behind itself.
  const temporary = { TMPDIR: folder, TEMP: folder, TMP: folder };
  let printed = "";
  const spawned = await spawnTarget({
    command: `"${process.execPath}" "${main}"`,
    env: { PORT: String(port), STATE_DIR, ...temporary, ...env },
    health_url: `${url}/health`,
    ready_timeout_ms: 20_000,
    // One that is told to be deaf would keep everybody waiting.
    stop_signal: "SIGKILL",
    onOutput: (text) => (printed += text),
  });
  return {
    url,
    spawned,
    fired: () => printed.split(firedLine).length - 1,
    async close() {
      await spawned.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
