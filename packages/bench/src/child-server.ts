import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A server in a process of its own, so that the load does not share its event loop. */
export interface ChildServer {
  url: string;
  stop(): Promise<void>;
}

/** Starts `servers/<name>` and waits for it to say its URL. Its output is thrown away, as a full disk would. */
export function startServer(name: string): Promise<ChildServer> {
  const file = fileURLToPath(new URL(`./servers/${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return new Promise((resolve, reject) => {
    child.once("exit", (code) =>
      reject(new Error(`Server ${name} ended with exit code ${code} before it listened`)),
    );
    child.once("message", (url: string) => {
      resolve({
        url,
        async stop() {
          child.kill("SIGTERM");
          await exited;
        },
      });
    });
  });
}
