import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ScaffoldError } from "../errors.ts";

/** Who owns a file: its user alone, us and its user by merging, or a generator that rewrites it. */
export type Zone = "yours" | "managed" | "derived";

/** `aieffect.json`: what a project was made from, for upgrades and for `aieffect why`. */
export interface ProjectManifest {
  /** Of this file's shape. */
  schema: 1;
  /** The service. */
  name: string;
  /** As in `file-sequential`. */
  template: string;
  /** The version of the templates that it was made from. */
  templateVersion: string;
  /** All answers; the replay command is made of them. */
  answers: { name: string; style: string; data: string; pm: string; into: boolean };
  /** Files of a zone by pattern, `*` within a folder and `**` across; the first that fits counts, the rest is yours. */
  zones: readonly { zone: Zone; files: string }[];
}

/** The name of the manifest. */
export const manifestFile = "aieffect.json";

/**
 * The manifest of the project in a folder.
 * @throws ScaffoldError AE1401 where the folder has none, or none that can be read
 */
export function readProjectManifest(root: string): ProjectManifest {
  let found: string;
  let isThere = true;
  try {
    const manifest = JSON.parse(readFileSync(join(root, manifestFile), "utf8")) as ProjectManifest;
    if (manifest?.schema === 1 && typeof manifest.name === "string" && manifest.answers?.data !== undefined) {
      return manifest;
    }
    found = "another shape";
  } catch (cause) {
    isThere = (cause as NodeJS.ErrnoException).code !== "ENOENT";
    found = (cause as Error).message;
  }
  throw new ScaffoldError("AE1401", {
    where: join(root, manifestFile),
    message: `Expected the manifest of a generated service, found: ${found}`,
    tries: isThere
      ? ["npx aieffect doctor --fix", "take it back from version control"]
      : ["the command in the folder of a service", "create one: npm create aieffect-service"],
  });
}

/** The zone of a file, and the pattern that says so. */
export function zoneOf(
  { zones }: Pick<ProjectManifest, "zones">,
  path: string,
): { zone: Zone; because: string | undefined } {
  const found = zones.find(({ files }) => toRegExp(files).test(path));
  return { zone: found?.zone ?? "yours", because: found?.files };
}

function toRegExp(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\?]/g, "\\$&")
    .replaceAll("**", "\0")
    .replaceAll("*", "[^/]*")
    .replaceAll("\0", ".*");
  return new RegExp(`^${source}$`);
}
