import { ScaffoldError } from "../errors.ts";
import type { Templates } from "../templates/templates.ts";

interface PackageJson {
  name: string;
  description?: string;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  [field: string]: unknown;
}

/** A template's package.json as a copy's: its own name, versions instead of the workspace's, its own test command. */
export function toPackageJson(
  text: string,
  { name, templates, test }: { name: string; into: boolean; pm: string; templates: Templates; test?: string },
): string {
  const template = JSON.parse(text) as PackageJson;
  const copy: PackageJson = { ...template, name };
  if (copy.scripts?.test !== undefined) copy.scripts = { ...copy.scripts, test: test ?? "vitest run" };
  for (const kind of ["dependencies", "devDependencies"] as const) {
    const given = template[kind];
    if (given === undefined) continue;
    copy[kind] = Object.fromEntries(
      Object.keys(given)
        .sort()
        .map((dependency) => [dependency, versionOf(dependency, given[dependency] ?? "", templates)]),
    );
  }
  const overrides = templates.overrides ?? {};
  if (Object.keys(overrides).length > 0) {
    copy.devDependencies = sorted({
      ...Object.fromEntries(Object.entries(overrides).filter(([one]) => !(one in (copy.dependencies ?? {})))),
      ...copy.devDependencies,
    });
    copy.overrides = Object.fromEntries(Object.keys(overrides).map((one) => [one, `$${one}`]));
  }
  return `${JSON.stringify(copy, undefined, 2)}\n`;
}

function versionOf(dependency: string, given: string, { versions, overrides }: Templates): string {
  const version = overrides?.[dependency] ?? versions[dependency];
  if (!/^(?:workspace|catalog):/.test(given)) return given;
  if (version !== undefined) return version;
  throw new ScaffoldError("AE1101", { where: dependency, message: "Expected a version for it, found none" });
}

function sorted(record: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}
