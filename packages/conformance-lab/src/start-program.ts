import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { type SpawnedTarget, spawnTarget } from "@aieffect/conformance";
import { labScale } from "./judge.ts";

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a service as a child process, as `--spawn` does. */
export async function startProgram(
  command: string,
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<{ url: string; spawned: SpawnedTarget }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const spawned = await spawnTarget({
    command,
    cwd,
    env: { PORT: String(port), HOST: "127.0.0.1", SELF_URL: url, TIME_SCALE: String(labScale), ...env },
    health_url: `${url}/health`,
    ready_timeout_ms: 30_000,
    stop_signal: "SIGTERM",
  });
  return { url, spawned };
}
