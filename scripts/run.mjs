/**
 * Runs a command of the repository from nothing: installs what is missing, compiles what is old,
 * then runs the command in this process, so that signals and exit codes are its own.
 *
 *   node scripts/run.mjs <command> [arguments]
 *
 * What installing and compiling have to say goes to standard error.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

const entries = {
  bench: "packages/bench/dist/main.js",
  conformance: "packages/conformance/dist/cli/main.js",
  "conformance:first-finding": "packages/conformance-lab/dist/first-finding.js",
  "conformance:selftest": "packages/conformance/dist/zoo/main.js",
  "conformance:stress": "packages/conformance-lab/dist/stress.js",
  create: "scripts/create.mjs",
  demo: "scripts/demo.mjs",
  "e2e:registry": "scripts/e2e-registry.mjs",
  endurance: "scripts/endurance.mjs",
  generate: "scripts/generate.mjs",
  hello: "packages/service-kit/examples/hello.mjs",
  "lint:packages": "scripts/lint-packages.mjs",
  oracle: "packages/control-interface/dist/oracle/main.js",
  orchestrator: "orchestrator-lite/dist/cli/main.js",
  test: "scripts/test.mjs",
  "test:long": "scripts/test-long.mjs",
};

const [command, ...rest] = process.argv.slice(2);
if (!Object.hasOwn(entries, command)) {
  console.error(`Expected a command, one of ${Object.keys(entries).join(", ")}; found ${command}`);
  process.exit(2);
}
install();
compile();
// `npm run x -- -- --flag` and `pnpm x -- --flag` pass a literal "--".
const args = rest[0] === "--" ? rest.slice(1) : rest;
const entry = new URL(`../${entries[command]}`, import.meta.url);
process.argv = [process.argv[0], fileURLToPath(entry), ...args];
await import(entry.href);

function install() {
  const stamp = `${root}node_modules/.aieffect-installed`;
  const lock = createHash("sha256")
    .update(readFileSync(`${root}pnpm-lock.yaml`))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  console.error("Installing dependencies ...");
  run("npx", ["-y", packageManager, "install", "--frozen-lockfile", "--prefer-offline", "--reporter=silent"]);
  writeFileSync(stamp, lock);
}

function compile() {
  run(process.execPath, [`${root}scripts/generate-protobuf.mjs`]);
  // tsc looks by itself for what is old; the first time takes a few seconds.
  run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-b"]);
}

function run(program, programArgs) {
  const windows = process.platform === "win32" && program === "npx";
  const { status, error, signal } = spawnSync(program, programArgs, {
    cwd: root,
    shell: windows,
    stdio: ["ignore", 2, 2],
  });
  if (status === 0) return;
  if (signal) process.exit(130);
  console.error(
    `Preparing failed: ${program} ${programArgs.join(" ")} ${error?.message ?? `ended with ${status}`}`,
  );
  process.exit(1);
}
