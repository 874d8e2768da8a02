/**
 * The way of a newcomer, before anything is published: publishes all public packages to a registry on
 * loopback, and runs the real `npm create aieffect-service` and `pnpm create aieffect-service` in an
 * empty folder, for every template: generated, installed, typechecked, tested, started, a task driven
 * through the orchestrator, conformant. Ends with a line of what passed and what failed.
 *
 * What is not ours is fetched from the registry that npm is configured with, through this one.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readTemplates } from "../generators/dist/index.js";
import { packPackages, publicPackages } from "./pack-packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const wanted = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "aieffect-registry-"));
const children = new Set();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

const upstream = (await output("npm", ["config", "get", "registry"], folder)).trim();
const port = await freePort();
const registry = `http://127.0.0.1:${port}/`;
const env = environment();
await startRegistry();
await publishAll();

const variants = readTemplates(root).services.map(({ name }) => name);
const runs = variants
  .flatMap((variant) => ["pnpm", "npm"].map((pm) => ({ variant, pm })))
  .filter(({ variant, pm }) => wanted.length === 0 || wanted.includes(variant) || wanted.includes(pm));
let [passed, failed] = [0, 0];
for (const { variant, pm } of runs) {
  const began = performance.now();
  const problem = await tryVariant(variant, pm);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (problem === undefined) passed++;
  else failed++;
  console.log(`${problem === undefined ? "passed" : "FAILED"}  ${variant} with ${pm}, ${seconds} s`);
  if (problem !== undefined) console.log(problem);
}
const examples = { passed: 0, failed: 0 };
for (const { name } of readTemplates(root).examples.filter(
  (one) => wanted.length === 0 || wanted.includes(one.name),
)) {
  const began = performance.now();
  const { code, text } = await create(
    "npm",
    ["my-example", "--example", name, "--yes", "--verify"],
    mkdtempSync(join(folder, `${name}-`)),
  );
  examples[code === 0 ? "passed" : "failed"]++;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${code === 0 ? "passed" : "FAILED"}  example ${name} outside the repository, ${seconds} s`);
  if (code !== 0) console.log(text);
}
console.log(`examples outside the repository: ${examples.passed} passed, ${examples.failed} failed`);
console.log(`${variants.length} variants x 2 package managers: ${passed} passed, ${failed} failed`);
process.exit(failed + examples.failed > 0 || passed + examples.passed === 0 ? 1 : 0);

/** Creates and verifies one project; gives what went wrong, or undefined. */
async function tryVariant(variant, pm) {
  const cwd = mkdtempSync(join(folder, `${variant}-${pm}-`));
  const flags = ["my-svc", "--template", variant, "--operation", "AnotherOne", "--yes", "--verify"];
  const { code, text } = await create(pm, flags, cwd);
  if (code !== 0) return text;
  const project = join(cwd, "my-svc");
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  const linked = Object.values({ ...dependencies, ...devDependencies }).filter((one) =>
    /^(file|link|workspace):/.test(one),
  );
  if (linked.length > 0) return `Expected versions only, found ${linked.join(", ")}`;
  if (!existsSync(join(project, ".gitignore"))) return "Expected a .gitignore, found none";
  const lint = await run(
    pm === "npm" ? "npm" : "npx",
    [...(pm === "npm" ? [] : ["-y", packageManager]), "run", "check"],
    project,
  );
  return lint.code === 0 ? followReadme(project) : lint.text;
}

/** The three commands of the project's README, word for word; gives what went wrong, or undefined. */
async function followReadme(project) {
  const block = /^```sh\n([\s\S]*?)^```$/m.exec(readFileSync(join(project, "README.md"), "utf8"))?.[1] ?? "";
  // There may be no pnpm on the path here.
  const commands = block
    .trim()
    .split("\n")
    .map((line) => line.replace(/^pnpm /, `npx -y ${packageManager} `));
  const [install, start, request] = commands;
  if (commands.length !== 3) return `Expected three commands in README.md, found ${JSON.stringify(commands)}`;
  // The port of the README may be taken on this machine.
  const ports = {
    PORT: String(await freePort()),
    GRPC_PORT: String(await freePort()),
    GRPC_HOST: "127.0.0.1",
  };
  const installed = await run(install, [], project, undefined, ports);
  if (installed.code !== 0) return installed.text;
  let listening = () => {};
  const ready = new Promise((resolve) => {
    listening = resolve;
  });
  const group = {};
  const service = run(
    start,
    [],
    project,
    (said) => said.includes('"msg":"listening"') && listening(),
    ports,
    group,
  );
  const ended = await Promise.race([ready, service]);
  if (ended !== undefined) return `${start} ended: ${ended.text}`;
  const answer = await run(request, [], project, undefined, ports);
  process.kill(-group.pid, "SIGTERM");
  await service;
  console.log(`    README: ${request}: ${answer.code === 0 ? "ok" : "FAILED"}`);
  return answer.code === 0 ? undefined : `${request}: ${answer.text}`;
}

/** Runs the create command of a package manager, and prints what it did and when the first task was complete. */
async function create(pm, flags, cwd) {
  const [program, args] =
    pm === "npm"
      ? ["npm", ["create", "aieffect-service", "--", ...flags]]
      : ["npx", ["-y", packageManager, "create", "aieffect-service", ...flags]];
  const began = performance.now();
  let first;
  const { code, text } = await run(program, args, cwd, (said) => {
    if (first === undefined && said.includes("complete: ")) first = (performance.now() - began) / 1000;
  });
  if (first !== undefined) console.log(`    ${first.toFixed(1)} s from Enter to the first complete`);
  for (const line of text.split("\n").filter((one) => /^ {2,}(ok|complete|verified|[\d.]+ s)/.test(one))) {
    console.log(`    ${line.trim()}`);
  }
  return { code, text };
}

async function startRegistry() {
  const config = join(folder, "verdaccio.yaml");
  writeFileSync(
    config,
    `storage: ${JSON.stringify(join(folder, "storage"))}
uplinks:
  upstream:
    url: ${JSON.stringify(upstream)}
    cache: true
    maxage: 1h
packages:
  "@aieffect/*": { access: $all, publish: $all }
  "create-aieffect-service": { access: $all, publish: $all }
  "**": { access: $all, proxy: upstream }
max_body_size: 100mb
web: { enable: false }
log: { type: stdout, format: json, level: warn }
`,
  );
  const child = spawn(
    process.execPath,
    [join(root, "node_modules/verdaccio/bin/verdaccio"), "--config", config, "--listen", `127.0.0.1:${port}`],
    {
      cwd: folder,
      env,
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  children.add(child);
  const ended = new Promise((resolve) => child.once("exit", resolve)).then((code) => {
    throw new Error(`Expected the registry to stay, found that it ended with ${code}`);
  });
  ended.catch(() => {});
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const answer = await Promise.race([fetch(`${registry}-/ping`).catch(() => undefined), ended]);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("Expected the registry to answer within 60 s, found that it does not");
}

async function publishAll() {
  const destination = join(folder, "packed");
  mkdirSync(destination);
  const packed = await packPackages(root, destination, publicPackages(root));
  for (const { name, version, file } of packed) {
    const { code, text } = await run(
      "npm",
      ["publish", file, "--registry", registry, "--access", "public"],
      folder,
    );
    if (code !== 0) throw new Error(`Publishing ${name} ended with ${code}: ${text}`);
    console.log(`published ${name} ${version}`);
  }
}

/** A home of its own: nothing of the user's npm is read or written, but for its download cache. */
function environment() {
  const home = join(folder, "home");
  mkdirSync(home);
  writeFileSync(
    join(home, ".npmrc"),
    `registry=${registry}\n//127.0.0.1:${port}/:_authToken=nobody\naudit=false\nfund=false\nupdate-notifier=false\n`,
  );
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm|pnpm|INIT_CWD|CI$)/i.test(name));
  return {
    ...Object.fromEntries(kept),
    HOME: home,
    USERPROFILE: home,
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_DATA_HOME: join(home, "data"),
    npm_config_cache: join(home, "npm-cache"),
    npm_config_userconfig: join(home, ".npmrc"),
    npm_config_store_dir: join(home, "pnpm-store"),
    NO_COLOR: "1",
  };
}

async function output(program, args, cwd) {
  const child = spawn(program, args, {
    cwd,
    stdio: ["ignore", "pipe", "ignore"],
    shell: process.platform === "win32",
  });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return text;
}

function run(program, args, cwd, onText = () => {}, more = {}, group = undefined) {
  const child = spawn(program, args, {
    cwd,
    env: { ...env, ...more },
    stdio: ["ignore", "pipe", "pipe"],
    // A line of the README is for a shell.
    shell: process.platform === "win32" || args.length === 0,
    detached: group !== undefined,
  });
  if (group !== undefined) group.pid = child.pid;
  children.add(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      text += chunk;
      onText(text);
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      children.delete(child);
      resolve({ code, text });
    });
  });
}

function freePort() {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });
}
