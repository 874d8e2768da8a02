/**
 * Creates a project outside the repository before anything is published: does what
 * `npm create aieffect-service` does, with this checkout's packages as tarballs in the project's
 * `vendor/`.
 *
 *   npm run create -- <folder> [flags]
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readTemplates } from "../generators/dist/index.js";
import { run } from "../packages/create-aieffect-service/dist/run.js";
import { packPackages } from "./pack-packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const args = process.argv.slice(2);
const packed = mkdtempSync(join(tmpdir(), "aieffect-packed-"));
const remove = () => rmSync(packed, { recursive: true, force: true });
process.once("exit", remove);
try {
  const templates = readTemplates(root);
  process.exitCode = await run(args, {
    templates,
    complete: () => packInto(templates),
    calledBy: "npm run create --",
    // npm runs scripts in the repository; the user was elsewhere.
    cwd: process.env.INIT_CWD ?? process.cwd(),
  });
} finally {
  remove();
}

async function packInto(templates) {
  // Ctrl-C while it packs.
  const onInterrupt = () => process.exit(130);
  process.once("SIGINT", onInterrupt);
  if (!args.includes("--quiet")) console.error("Packing this checkout's packages, about half a minute ...");
  const whole = withTarballs(templates, await packPackages(root, packed));
  process.off("SIGINT", onInterrupt);
  return whole;
}

function withTarballs(templates, tarballs) {
  const vendor = tarballs.map(({ file }) => ({
    path: `vendor/${basename(file)}`,
    base64: readFileSync(file).toString("base64"),
  }));
  const overrides = Object.fromEntries(
    tarballs.map(({ name, file }) => [name, `file:vendor/${basename(file)}`]),
  );
  const extended = (all) => all.map((one) => ({ ...one, files: [...one.files, ...vendor] }));
  return {
    ...templates,
    overrides,
    services: extended(templates.services),
    examples: extended(templates.examples),
  };
}
