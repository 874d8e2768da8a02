/**
 * What a sequential, file-based service costs a user who installs it for production: packs the kit,
 * installs it in a project of its own, has a service run a task there, and fails when its
 * node_modules takes more than `limit_MB` or has in it what only some services need.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const limit_MB = 30;
/** What a service that wants it installs beside the kit. */
const optional = [/^libsql$/, /^@libsql\//, /^ioredis$/, /^@grpc\//, /^@opentelemetry\/(?!api$)/];

const root = fileURLToPath(new URL("../", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const folder = mkdtempSync(join(tmpdir(), "aieffect-install-"));
let service;
process.on("exit", () => {
  service?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

run(process.execPath, [`${root}scripts/generate-protobuf.mjs`], root);
run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-b"], root);
const project = join(folder, "service");
mkdirSync(project);
writeProject(["control-interface", "data-plane-file", "service-kit"].map(pack));
run("npm", ["install", "--omit=dev", "--no-audit", "--no-fund", "--prefer-offline"], project);
await tryService();

const modules = join(project, "node_modules");
const packages = listPackages(modules).sort((one, other) => other.bytes - one.bytes);
const total = measure(modules);
console.log(`${packages.length} packages, the largest:`);
for (const { name, version, bytes } of packages.slice(0, 10)) {
  console.log(`${toMB(bytes).padStart(7)} MB  ${name} ${version}`);
}
console.log(
  `${toMB(total.bytes)} MB of files, ${toMB(total.on_disk)} MB on disk; ${limit_MB} MB are allowed`,
);
const needless = packages.filter(({ name }) => optional.some((pattern) => pattern.test(name)));
if (needless.length > 0) {
  fail(
    `Expected nothing that only some services need, found ${needless.map(({ name }) => name).join(", ")}; make it an optional peer`,
  );
}
if (Math.max(total.bytes, total.on_disk) > limit_MB * 1e6) {
  fail(`Expected at most ${limit_MB} MB, found more; take something out of the dependencies`);
}

/** The name of a package and its tarball, as it would be published. */
function pack(name) {
  const args = ["-y", packageManager, "pack", "--json", "--pack-destination", folder];
  const said = run("npx", args, `${root}packages/${name}`);
  return [`@aieffect/${name}`, `file:${JSON.parse(said).filename}`];
}

function writeProject(tarballs) {
  // Another version than the kit's own would lie there beside it.
  const zod = JSON.parse(readFileSync(`${root}packages/service-kit/node_modules/zod/package.json`, "utf8"));
  const manifest = {
    name: "a-service",
    private: true,
    type: "module",
    dependencies: { ...Object.fromEntries(tarballs), zod: zod.version },
    // What the packages need of each other is not published: it is these very tarballs.
    overrides: Object.fromEntries(tarballs.map(([name]) => [name, `$${name}`])),
  };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  writeFileSync(
    join(project, "service.mjs"),
    `import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";
import * as z from "zod";

const count = defineOperation({
  name: "Count",
  parameters: z.object({ rows: z.number() }),
  run({ parameters, publish }) {
    const lines = Array.from({ length: parameters.rows }, (_, row) => \`\${row},\${row * row}\\n\`);
    return publish(["n,square\\n", ...lines], { format: "csv" });
  },
});
await serve(sequentialService({ name: "squares", operations: [count] }));
`,
  );
}

/** It is installed when it works: one task, its CSV fetched as the next service would. */
async function tryService() {
  const env = { ...process.env, HOST: "127.0.0.1", PORT: "0", DATA_DIR: join(folder, "data") };
  service = spawn(process.execPath, ["service.mjs"], {
    cwd: project,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => service.once("exit", resolve));
  const url = await Promise.race([urlOf(service), ended]);
  if (typeof url !== "string")
    fail(`Expected the service to listen, found that it ended with exit code ${url}`);
  const answer = await fetch(`${url}/control/execute`, {
    method: "POST",
    body: JSON.stringify({
      method: "Count",
      workflow_id: "wf-1",
      task_id: "task-1",
      parameters: { rows: 3 },
    }),
  });
  const { status, output } = await answer.json();
  const csv = status === "complete" ? await (await fetch(output.uri)).text() : status;
  if (csv !== "n,square\n0,0\n1,1\n2,4\n") fail(`Expected the task's CSV, found ${csv}`);
  service.kill("SIGTERM");
  const code = await ended;
  if (code !== 0 && process.platform !== "win32") {
    fail(`Expected the service to stop with exit code 0, found ${code}`);
  }
}

/** Where the service says it listens, once it does. */
function urlOf(child) {
  let log = "";
  return new Promise((resolve) => {
    child.stdout.on("data", (chunk) => {
      log += chunk;
      const line = log.split("\n").find((found) => /"msg":"listening".*\}$/.test(found));
      if (line !== undefined) resolve(JSON.parse(line).url);
    });
  });
}

/** Every package below a node_modules folder, nested ones too, each with its own files only. */
function listPackages(below) {
  return readdirSync(below)
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(below, name)).map((inner) => `${name}/${inner}`) : [name],
    )
    .filter((name) => existsSync(join(below, name, "package.json")))
    .flatMap((name) => {
      const { version } = JSON.parse(readFileSync(join(below, name, "package.json"), "utf8"));
      const nested = join(below, name, "node_modules");
      const inner = existsSync(nested)
        ? { bytes: measure(nested).bytes, packages: listPackages(nested) }
        : undefined;
      const bytes = measure(join(below, name)).bytes - (inner?.bytes ?? 0);
      return [{ name, version, bytes }, ...(inner?.packages ?? [])];
    });
}

/** The sum of the lengths of all files, and what they and their folders occupy. */
function measure(path) {
  const { size, blocks, isDirectory } = statOf(path);
  const sum = { bytes: isDirectory ? 0 : size, on_disk: blocks * 512 };
  for (const name of isDirectory ? readdirSync(path) : []) {
    const { bytes, on_disk } = measure(join(path, name));
    sum.bytes += bytes;
    sum.on_disk += on_disk;
  }
  return sum;
}

function statOf(path) {
  const stats = lstatSync(path);
  // Windows does not tell blocks.
  const { size, blocks = Math.ceil(size / 512) } = stats;
  return { size, blocks, isDirectory: stats.isDirectory() };
}

function toMB(bytes) {
  return (bytes / 1e6).toFixed(2);
}

function run(program, args, cwd) {
  const windows = process.platform === "win32" && program !== process.execPath;
  const { status, error, stdout } = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    shell: windows,
    stdio: ["ignore", "pipe", 2],
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0) fail(`${program} ${args.join(" ")} ${error?.message ?? `ended with ${status}`}`);
  return stdout;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
