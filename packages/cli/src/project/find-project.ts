import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { manifestFile, type ProjectManifest, readProjectManifest } from "@aieffect/generators";
import { CliError } from "../errors/cli-error.ts";
import { baseFile } from "./read-base.ts";

/** A generated service. */
export interface Project {
  /** Where its manifest is. */
  folder: string;
  manifest: ProjectManifest;
}

/** The folder of the project that a folder is in: itself, or the nearest above with a manifest, or with a merge base that has lost its manifest. */
export function findProjectFolder(start: string): string | undefined {
  for (let at = start; ; at = dirname(at)) {
    if (existsSync(join(at, manifestFile)) || existsSync(join(at, baseFile))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** The project that a folder is in. @throws CliError where there is none, ScaffoldError where its manifest is broken */
export function findProject(start: string): Project {
  const folder = findProjectFolder(start);
  if (folder !== undefined && !existsSync(join(folder, manifestFile))) {
    throw new CliError(
      "manifest-missing",
      `Expected ${manifestFile} beside ${baseFile}, found none in ${folder}`,
      {
        fixes: ["aieffect doctor --fix", "take it back from version control"],
      },
    );
  }
  if (folder !== undefined) {
    const manifest = readProjectManifest(folder);
    if (Array.isArray(manifest.zones)) return { folder, manifest };
    throw new CliError("manifest-invalid", `Expected ${join(folder, manifestFile)} with a list of zones`, {
      fixes: ["aieffect doctor --fix", "take it back from version control"],
    });
  }
  throw new CliError("manifest-missing", `Expected ${manifestFile} in ${start} or above it, found none`, {
    fixes: ["the command in the folder of a service", "create one: npm create aieffect-service"],
  });
}

/**
 * The folder that pipelines go into: the nearest one, here or above, with services below
 * `services/`, else the project itself. @throws CliError where there is neither
 */
export function findWorkspace(start: string): string {
  for (let at = start; ; at = dirname(at)) {
    if (hasServices(at)) return at;
    if (dirname(at) === at) return findProject(start).folder;
  }
}

function hasServices(folder: string): boolean {
  const services = join(folder, "services");
  if (!existsSync(services)) return false;
  return readdirSync(services, { withFileTypes: true }).some(
    (entry) => entry.isDirectory() && existsSync(join(services, entry.name, manifestFile)),
  );
}
