import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What is looked at of a package.json. */
interface PackageJson {
  version?: string;
  packageManager?: string;
  engines?: { node?: string };
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** A dependency of a folder. */
export interface Dependency {
  name: string;
  /** As package.json says. */
  wanted: string;
  /** Undefined where it is not installed. */
  installed: string | undefined;
}

/** The package.json of a folder; undefined where there is none, or none that can be read. */
function readPackageJson(folder: string): PackageJson | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageJson;
  } catch {
    // Not there, or broken: for who asks it is the same, there is nothing to be had of it.
    return undefined;
  }
}

/** What a folder depends on, with the versions that Node would load. */
export function dependenciesOf(folder: string): Dependency[] {
  const { dependencies = {}, devDependencies = {} } = readPackageJson(folder) ?? {};
  return Object.entries({ ...dependencies, ...devDependencies }).map(([name, wanted]) => ({
    name,
    wanted,
    installed: installedVersion(folder, name),
  }));
}

function installedVersion(folder: string, name: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const version = readPackageJson(join(at, "node_modules", name))?.version;
    if (version !== undefined || dirname(at) === at) return version;
  }
}

const lockfiles = {
  "pnpm-lock.yaml": "pnpm",
  "package-lock.json": "npm",
  "yarn.lock": "yarn",
  "bun.lock": "bun",
};

/** The package manager of a folder: what package.json pins, else whose lockfile is there, else the given one. */
export function packageManagerOf(
  folder: string,
  otherwise = "npm",
): { name: string; pinned: string | undefined } {
  for (let at = folder; ; at = dirname(at)) {
    const [, name, pinned] = /^([a-z]+)@([^+]+)/.exec(readPackageJson(at)?.packageManager ?? "") ?? [];
    if (name !== undefined) return { name, pinned };
    const lock = Object.entries(lockfiles).find(([file]) => existsSync(join(at, file)));
    if (lock !== undefined) return { name: lock[1], pinned: undefined };
    if (dirname(at) === at) return { name: otherwise, pinned: undefined };
  }
}
