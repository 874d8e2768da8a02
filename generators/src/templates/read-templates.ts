import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import type { Template, TemplateFile, Templates } from "./templates.ts";

interface Catalogue {
  services: { name: string; service: string; title: string }[];
  examples: { name: string; folder: string; service: string; title: string }[];
}

/** What is made by installing, building and running, and no part of a template. */
const left = new Set(["node_modules", "dist", "data", ".turbo", "coverage"]);

/** What every project has. */
const commonToExamples = [".gitignore", ".gitattributes", ".dockerignore", "pnpm-workspace.yaml"];

/** What use cases have from the repository's root. */
const sharedByExamples = ["scripts/submit-workflow.sh"];

/** Reads the templates of a checkout, with the versions that its packages have. */
export function readTemplates(checkout: string): Templates {
  const templates = join(checkout, "templates");
  const { services, examples } = JSON.parse(
    readFileSync(join(templates, "templates.json"), "utf8"),
  ) as Catalogue;
  const common = readFiles(join(templates, "common"));
  const { version } = readJson(join(checkout, "package.json"));
  return {
    version: String(version),
    versions: readVersions(checkout),
    services: services
      .filter(({ name }) => existsSync(join(templates, name, "package.json")))
      .map(
        ({ name, service, title }): Template => ({
          name,
          service,
          title,
          files: merge(common, readFiles(join(templates, name))),
        }),
      ),
    examples: examples
      .filter(({ folder }) => existsSync(join(checkout, folder, "package.json")))
      .map(({ name, folder, service, title }) => ({
        name,
        service,
        title,
        files: merge(
          [
            ...common.filter(({ path }) => commonToExamples.includes(path)),
            ...readFiles(checkout, "scripts/").filter(({ path }) => sharedByExamples.includes(path)),
          ],
          readFiles(join(checkout, folder)),
        ),
      })),
  };
}

/** `^version` of every workspace package, and what the catalog pins. */
function readVersions(checkout: string): Record<string, string> {
  const { catalog, packages } = parse(readFileSync(join(checkout, "pnpm-workspace.yaml"), "utf8")) as {
    catalog: Record<string, string>;
    packages: string[];
  };
  const folders = packages.flatMap((pattern) =>
    pattern.endsWith("/*")
      ? namesIn(join(checkout, pattern.slice(0, -2))).map((name) =>
          join(checkout, pattern.slice(0, -2), name),
        )
      : [join(checkout, pattern)],
  );
  const own = folders
    .map((folder) => join(folder, "package.json"))
    .filter((file) => existsSync(file))
    .map(readJson)
    .map(({ name, version }) => [String(name), `^${version}`]);
  return { ...catalog, ...Object.fromEntries(own) };
}

function readFiles(folder: string, prefix = ""): TemplateFile[] {
  return namesIn(join(folder, prefix)).flatMap((name): TemplateFile[] => {
    const path = `${prefix}${name}`;
    const stats = lstatSync(join(folder, path));
    if (left.has(name) || name.endsWith(".tgz")) return [];
    if (stats.isDirectory()) return readFiles(folder, `${path}/`);
    const bytes = readFileSync(join(folder, path));
    const text = bytes.toString("utf8");
    const isText = Buffer.from(text, "utf8").equals(bytes) && !bytes.includes(0);
    return [
      {
        path: toCopiedPath(path),
        ...(isText ? { text } : { base64: bytes.toString("base64") }),
        ...((stats.mode & 0o111) !== 0 && { executable: true }),
      },
    ];
  });
}

/** Names that tools would take for their own in a checkout begin with `_` there. */
function toCopiedPath(path: string): string {
  return path.replace(/^_(git|docker)/, ".$1").replace(/^_/, "");
}

function merge(common: readonly TemplateFile[], own: readonly TemplateFile[]): TemplateFile[] {
  const byPath = new Map([...common, ...own].map((file) => [file.path, file]));
  return [...byPath.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
}

function namesIn(folder: string): string[] {
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => basename(name) !== ".DS_Store")
        .sort()
    : [];
}

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
}
