import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../dev/free-port.ts";
import { packageManagerOf } from "../project/installed.ts";
import type { Check, Checked } from "./check.ts";

/** The least version of Node that our packages run on. */
const leastNode = [20, 19] as const;

/** Node, and what the folder needs: its package manager, Docker. */
export function machineChecks(folder: string): Check[] {
  return [
    { run: async () => checkNode() },
    ...(existsSync(join(folder, "package.json")) ? [{ run: async () => checkPackageManager(folder) }] : []),
    ...(existsSync(join(folder, "compose.yaml")) ? [{ run: async () => checkDocker() }] : []),
  ];
}

function checkNode(): Checked {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isEnough = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  return {
    check: "node",
    status: isEnough ? "ok" : "failure",
    found: `Node ${process.version}`,
    ...(!isEnough && { fix: `install Node ${leastNode.join(".")} or later` }),
  };
}

function checkPackageManager(folder: string): Checked {
  const { name, pinned } = packageManagerOf(folder);
  const version = answerOf(name, ["--version"]);
  // npx, which comes with Node, runs it as well; what is created and demonstrated here does so.
  if (version === undefined && name === "pnpm" && answerOf("npx", ["--version"]) !== undefined) {
    const exact = `pnpm${pinned ? `@${pinned}` : ""}`;
    return {
      check: "package-manager",
      status: "warning",
      found: "pnpm is not on the path; npx can run it",
      fix: `npx -y ${exact} wherever pnpm is said, or npm install --global ${exact}`,
    };
  }
  if (version === undefined) {
    return {
      check: "package-manager",
      status: "failure",
      found: `${name} is not on the path`,
      fix:
        name === "npm"
          ? "install Node with npm"
          : `npm install --global ${name}${pinned ? `@${pinned}` : ""}`,
    };
  }
  const isOther = pinned !== undefined && pinned !== version;
  return {
    check: "package-manager",
    status: isOther ? "warning" : "ok",
    found: `${name} ${version}${isOther ? `, package.json pins ${pinned}` : ""}`,
    ...(isOther && { fix: `npm install --global ${name}@${pinned}` }),
  };
}

function checkDocker(): Checked {
  // The engine's version, and not the client's: without an engine nothing runs.
  const version = answerOf("docker", ["version", "--format", "{{.Server.Version}}"]);
  return {
    check: "docker",
    status: version === undefined ? "warning" : "ok",
    found: version === undefined ? "no Docker engine answers; compose.yaml needs one" : `Docker ${version}`,
    ...(version === undefined && { fix: "start Docker, or install it, to run the service in a container" }),
  };
}

/** The first line that a program prints; undefined where it is not there, or fails. */
function answerOf(program: string, args: readonly string[]): string | undefined {
  // Package managers are scripts on Windows, which only a shell finds.
  const { status, stdout } = spawnSync(program, args, {
    encoding: "utf8",
    shell: process.platform === "win32",
    timeout: 20_000,
  });
  return status === 0 ? stdout.trim().split("\n")[0] : undefined;
}

/** Whether a port is free, or held by a service, which then answers /health. */
export async function checkPort(name: string, port: number, host: string): Promise<Checked> {
  const check = `port-${name}`;
  if ((await freePort(port, host)) !== undefined) return { check, status: "ok", found: `${port} is free` };
  const url = `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}/health`;
  const answers = await fetch(url, { signal: AbortSignal.timeout(3000) }).then(
    async (answer) => answer.ok && (await answer.text()).includes('"ok"'),
    () => false,
  );
  if (answers) return { check, status: "ok", found: `${port} is taken by a service that answers /health` };
  return {
    check,
    status: "warning",
    found: `${port} is taken by something that is no service`,
    fix:
      name === "service"
        ? "PORT=<another one>, or stop what runs there"
        : "aieffect dev takes a free one instead",
  };
}
