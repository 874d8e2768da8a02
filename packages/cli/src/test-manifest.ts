import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CliError } from "./errors/cli-error.ts";
import { findProject, findProjectFolder } from "./project/find-project.ts";

/** A manifest for the harness. */
export interface TestManifest {
  file: string;
  /** Removes it. */
  remove(): Promise<void>;
}

/**
 * One manifest out of all in `conformance/`, where a project keeps one for each operation, with the
 * style of a generated service as its claim; undefined where there are none.
 * @throws CliError for one that cannot be used
 */
export async function gatherManifest(folder: string): Promise<TestManifest | undefined> {
  const source = join(folder, "conformance");
  const names = existsSync(source) ? (await readdir(source)).filter((name) => /\.ya?ml$/.test(name)) : [];
  if (names.length === 0) return undefined;
  const { ManifestError, readManifest } = await import("@aieffect/conformance");
  const methods: Record<string, unknown> = {};
  for (const name of names.sort()) {
    try {
      const manifest = await readManifest(join(source, name));
      Object.assign(methods, atHome(manifest.methods, manifest.folder));
    } catch (cause) {
      if (!(cause instanceof ManifestError)) throw cause;
      throw new CliError("manifest-invalid", cause.message, { state: "nothing was tested", cause });
    }
  }
  const home = await mkdtemp(join(tmpdir(), "aieffect-test-"));
  const file = join(home, "conformance.yaml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ ...claimsOf(folder), methods }));
  return { file, remove: () => rm(home, { recursive: true, force: true }) };
}

/** Fixtures are named as seen from their manifest, which is about to be somewhere else. */
function atHome<T>(methods: T, folder: string): T {
  return JSON.parse(JSON.stringify(methods), (key, value) =>
    key === "$fixture" && typeof value === "string" ? resolve(folder, value) : value,
  );
}

function claimsOf(folder: string): { claims?: string[] } {
  if (findProjectFolder(folder) === undefined) return {};
  return { claims: ["core", findProject(folder).manifest.answers.style] };
}
