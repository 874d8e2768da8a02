/**
 * Checks every package that is published as its users get it: packed, with publint, and, where it has
 * types, with attw. Exit code 1 when one has something to say, or has a file that it should not have.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { parseTar } from "nanotar";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packPackages, publicPackages } from "./pack-packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "aieffect-packed-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** What nobody who installs a package needs. */
const unwanted =
  /(?:^|\/)(?:node_modules|\.env.*|data|coverage)(?:\/|$)|\.test\.(?:[cm]?[jt]s|d\.ts)|\.tsbuildinfo$|\.tgz$|pnpm-lock/;

let problems = 0;
const packages = publicPackages(root);
for (const { name, file } of await packPackages(root, folder, packages)) {
  const bytes = readFileSync(file);
  const files = parseTar(gunzipSync(bytes)).filter(({ type }) => type === "file");
  const manifest = JSON.parse(files.find((one) => one.name === "package/package.json").text);
  const said = [];
  for (const { name: path } of files) if (unwanted.test(path)) said.push(`has ${path}`);
  for (const wanted of ["package/README.md", "package/LICENSE"]) {
    if (!files.some((one) => one.name === wanted)) said.push(`lacks ${wanted}`);
  }
  const { messages } = await publint({
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
    level: "suggestion",
    strict: true,
  });
  for (const message of messages) said.push(`publint: ${formatMessage(message, manifest)}`);
  if (manifest.exports?.["."] !== undefined) {
    const attw = spawnSync(
      process.execPath,
      [
        join(root, "node_modules/@arethetypeswrong/cli/dist/index.js"),
        file,
        "--profile",
        "esm-only",
        "--no-emoji",
        "--no-color",
      ],
      { encoding: "utf8" },
    );
    if (attw.status !== 0) said.push(`attw: ${attw.stdout}${attw.stderr}`);
  }
  console.log(`${name}: ${files.length} files, ${said.length} problems`);
  for (const one of said) console.error(`  ${one}`);
  problems += said.length;
}
console.log(`${packages.length} packages: ${problems} problems`);
process.exitCode = problems > 0 || packages.length === 0 ? 1 : 0;
