/** Runs every package's tests through turbo, then the README's. Arguments go to turbo, e.g. `--filter @aieffect/service-kit`. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const args = process.argv.slice(2);
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };

// turbo wants the package manager on its path, which npx sees to.
const turbo = [
  "-y",
  packageManager,
  "exec",
  "turbo",
  "run",
  "test",
  "--output-logs=new-only",
  "--concurrency=3",
  "--continue",
];
const ok = run("npx", [...turbo, ...args]) && (args.length > 0 || run(process.execPath, vitest("readme")));
process.exitCode = ok ? 0 : 1;

function vitest(project) {
  return [`${root}node_modules/vitest/vitest.mjs`, "run", "--root", root, "--project", project];
}

function run(program, programArgs) {
  const shell = process.platform === "win32" && program === "npx";
  return spawnSync(program, programArgs, { cwd: root, env, shell, stdio: "inherit" }).status === 0;
}
