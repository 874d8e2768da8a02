/** Runs every package's tests and the README's through turbo. Arguments go to turbo, e.g. `--filter @aieffect/service-kit`. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const args = process.argv.slice(2);
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };

// turbo wants the package manager on its path, which npx sees to.
const turbo = ["-y", packageManager, "exec", "turbo", "run"];
const tasks = args.length > 0 ? ["test"] : ["test", "readme"];
const options = ["--output-logs=new-only", "--concurrency=3", "--continue"];
const shell = process.platform === "win32";
const { status } = spawnSync("npx", [...turbo, ...tasks, ...options, ...args], {
  cwd: root,
  env,
  shell,
  stdio: "inherit",
});
process.exitCode = status === 0 ? 0 : 1;
