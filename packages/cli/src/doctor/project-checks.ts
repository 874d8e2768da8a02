import { spawn } from "node:child_process";
import { commitTree, createTree, manifestFile, registryPath, writeRegistry } from "@aieffect/generators";
import { findProject } from "../project/find-project.ts";
import { dependenciesOf, packageManagerOf } from "../project/installed.ts";
import { baseFile, readBase } from "../project/read-base.ts";
import type { Check, Checked } from "./check.ts";

/** Manifest, merge base, derived files and installed packages of a project. */
export function projectChecks(folder: string): Check[] {
  return [
    { run: async () => checkManifest(folder), repair: () => restoreManifest(folder) },
    { run: () => checkBase(folder) },
    {
      run: async () => checkDerived(folder),
      async repair() {
        const changes = commitTree(planDerived(folder));
        return `rewrote ${changes.map(({ path }) => path).join(", ")}`;
      },
    },
    { run: async () => checkInstalled(folder), repair: () => install(folder) },
    { run: async () => checkVersions(folder) },
  ];
}

function checkManifest(folder: string): Checked {
  try {
    const { manifest } = findProject(folder);
    return {
      check: "manifest",
      status: "ok",
      found: `${manifest.name}, ${manifest.template} ${manifest.templateVersion}`,
    };
  } catch (error) {
    return {
      check: "manifest",
      status: "failure",
      found: (error as Error).message,
      fix: "take aieffect.json back from version control, or aieffect doctor --fix for the one that it was created with",
    };
  }
}

/** The manifest as it was created; what stands in its place stays beside it. */
async function restoreManifest(folder: string): Promise<string> {
  const created = (await readBase(folder)).get(manifestFile);
  if (created === undefined) throw new Error(`Expected ${manifestFile} in ${baseFile}, found none`);
  const tree = createTree(folder);
  const broken = tree.read(manifestFile);
  if (broken !== undefined) tree.write(`${manifestFile}.broken`, broken);
  tree.write(manifestFile, created);
  commitTree(tree);
  return `took ${manifestFile} from ${baseFile}${broken === undefined ? "" : `, what was there is in ${manifestFile}.broken`}`;
}

async function checkBase(folder: string): Promise<Checked> {
  try {
    const base = await readBase(folder);
    return { check: "merge-base", status: "ok", found: `${baseFile} has ${base.size} files` };
  } catch (error) {
    return {
      check: "merge-base",
      status: "failure",
      found: (error as Error).message,
      fix: "take .aieffect/ back from version control; without it later versions cannot be merged in",
    };
  }
}

function planDerived(folder: string) {
  const tree = createTree(folder);
  writeRegistry(tree);
  return tree;
}

function checkDerived(folder: string): Checked {
  try {
    const stale = planDerived(folder).changes();
    if (stale.length === 0) return { check: "derived", status: "ok", found: `${registryPath} is up to date` };
    return {
      check: "derived",
      status: "failure",
      found: `${registryPath} is not what src/operations/ makes of it`,
      fix: "aieffect doctor --fix",
    };
  } catch (error) {
    return { check: "derived", status: "failure", found: (error as Error).message };
  }
}

function checkInstalled(folder: string): Checked {
  const missing = dependenciesOf(folder).filter(({ installed }) => installed === undefined);
  if (missing.length === 0)
    return { check: "installed", status: "ok", found: "all dependencies are installed" };
  return {
    check: "installed",
    status: "failure",
    found: `${missing.length} not installed: ${missing.map(({ name }) => name).join(", ")}`,
    fix: "aieffect doctor --fix",
  };
}

function checkVersions(folder: string): Checked {
  const own = dependenciesOf(folder).filter(
    ({ name, installed }) => name.startsWith("@aieffect/") && installed !== undefined,
  );
  const versions = new Set(own.map(({ installed }) => installed));
  if (versions.size === 0)
    return { check: "versions", status: "skipped", found: "none of our packages is installed" };
  if (versions.size === 1) {
    return { check: "versions", status: "ok", found: `all of our packages are ${[...versions][0]}` };
  }
  return {
    check: "versions",
    status: "warning",
    found: `our packages are of several versions: ${own.map(({ name, installed }) => `${name} ${installed}`).join(", ")}`,
    fix: "give all @aieffect packages the same version in package.json",
  };
}

async function install(folder: string): Promise<string> {
  const { name } = packageManagerOf(folder, findProject(folder).manifest.answers.pm);
  const child = spawn(name, ["install"], {
    cwd: folder,
    // Programs read standard output.
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (code !== 0) throw new Error(`${name} install ended with ${code}`);
  return `${name} install`;
}
