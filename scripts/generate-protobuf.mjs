/**
 * Writes the TypeScript of every .proto file: for each folder of packages/ and use-cases/ that has a
 * buf.gen.yaml, what its plugins make, and beside it `descriptors.ts` with the files' descriptors for
 * gRPC reflection. Looks first at what is there: it costs nothing when nothing has changed. Offline.
 *
 *   node scripts/generate-protobuf.mjs
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const buf = join(root, "node_modules/@bufbuild/buf/bin/buf");
const tools = ["@bufbuild/buf", "ts-proto"].map((name) => versionOf(name));

for (const parent of ["packages", "use-cases"]) {
  for (const name of foldersIn(join(root, parent))) {
    const folder = join(root, parent, name);
    for (const place of [folder, join(folder, "testing")]) {
      if (existsSync(join(place, "buf.gen.yaml"))) generate(place);
    }
  }
}

function generate(folder) {
  const template = readFileSync(join(folder, "buf.gen.yaml"), "utf8");
  const out = /^\s*(?:- )?out: *(\S+)/m.exec(template)?.[1];
  if (out === undefined) fail(`Expected "out:" in ${join(folder, "buf.gen.yaml")}, found none`);
  const generated = join(folder, out);
  const stamp = join(generated, ".stamp");
  const sources = digest(folder, template);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === sources) return;
  run(folder, ["generate", "--clean"]);
  const descriptors = run(folder, ["build", "--exclude-source-info", "-o", "-#format=binpb"]).toString(
    "base64",
  );
  writeFileSync(
    join(generated, "descriptors.ts"),
    `/** The descriptors of the .proto files beside which this lies: a FileDescriptorSet. */
export const descriptors: Uint8Array = Buffer.from(
  "${descriptors}",
  "base64",
);
`,
  );
  writeFileSync(stamp, sources);
}

/** Of all that the generated code depends on. */
function digest(folder, template) {
  const hash = createHash("sha256").update(JSON.stringify([...tools, template]));
  const modules = readFileSync(join(folder, "buf.yaml"), "utf8");
  hash.update(modules);
  for (const file of protosIn(folder)) hash.update(`${file}\n`).update(readFileSync(join(folder, file)));
  return hash.digest("hex");
}

function protosIn(folder) {
  const skipped = new Set(["node_modules", "dist", "src", "export"]);
  const look = (inner) =>
    readdirSync(join(folder, inner), { withFileTypes: true }).flatMap((entry) => {
      const path = inner === "" ? entry.name : `${inner}/${entry.name}`;
      if (entry.isDirectory()) return skipped.has(entry.name) ? [] : look(path);
      return entry.name.endsWith(".proto") ? [path] : [];
    });
  return look("").sort();
}

function foldersIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function versionOf(name) {
  return `${name} ${JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version}`;
}

function run(cwd, args) {
  const { status, error, stdout } = spawnSync(process.execPath, [buf, ...args], {
    cwd,
    stdio: ["ignore", "pipe", 2],
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0)
    fail(`buf ${args.join(" ")} in ${cwd}: ${error?.message ?? `ended with exit code ${status}`}`);
  return stdout;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
