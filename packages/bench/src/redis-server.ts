import { spawn } from "node:child_process";
import { freePort } from "./free-port.ts";
import { endWithThis } from "./leftovers.ts";

/** A redis-server of our own, with nothing in it. */
export interface RedisServer {
  url: string;
  stop(): Promise<void>;
}

/** Starts the redis-server of the PATH with its data in `folder`, kept in memory alone; undefined where there is none. */
export async function startRedis(folder: string): Promise<RedisServer | undefined> {
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
  const child = spawn("redis-server", [...args, "--appendonly", "no"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  endWithThis(child);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let said = "";
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") resolve(undefined);
      else reject(error);
    });
    child.once("exit", (code) =>
      reject(new Error(`redis-server ended with exit code ${code} before it listened: ${said}`)),
    );
    child.stdout.on("data", (chunk) => {
      if (said.includes("Ready to accept connections")) return;
      said += chunk;
      if (!said.includes("Ready to accept connections")) return;
      resolve({
        url: `redis://127.0.0.1:${port}`,
        async stop() {
          child.kill("SIGTERM");
          await exited;
        },
      });
    });
  });
}
