import { ScaffoldError } from "../errors.ts";
import { type Answers, type Generator, type GeneratorContext, listOf, textOf } from "../generator.ts";
import { assertName, operationNameProblem, serviceNameProblem, shown, toPascal } from "../names.ts";
import { planOperation } from "../operation/operation-generator.ts";
import type { Template, TemplateFile, Templates } from "../templates/templates.ts";
import type { Tree } from "../tree/tree.ts";
import { addToWorkspace } from "./add-to-workspace.ts";
import { toPackageJson } from "./package-json.ts";
import { forPackageManager, packageManagers } from "./package-manager.ts";
import { manifestFile, type ProjectManifest } from "./project-manifest.ts";
import { withOverrides } from "./render-example.ts";
import { toTarball } from "./tarball.ts";

/** Copies a template: a new service with a name of its own. */
export const serviceGenerator: Generator = {
  name: "service",
  description: "a new service that runs, tests itself and is conformant",
  prompts: [
    {
      name: "name",
      flag: "name",
      kind: "text",
      message: "What is the service called, as in load-forecast?",
      problem: serviceNameProblem,
    },
    {
      name: "style",
      flag: "style",
      kind: "choice",
      message: "How long does one call take?",
      choices: [
        { value: "concurrent", label: "longer, or not sure: answers with a handle to poll" },
        { value: "sequential", label: "under 20 s: answers with the result" },
      ],
      initial: "concurrent",
    },
    {
      name: "data",
      flag: "data",
      kind: "choice",
      message: "How does data travel?",
      choices: [
        { value: "file", label: "as files and URLs" },
        { value: "protobuf", label: "as protobuf messages over gRPC" },
      ],
      initial: "file",
    },
    {
      name: "pm",
      flag: "pm",
      kind: "choice",
      message: "Which package manager?",
      choices: packageManagers.map((value) => ({ value, label: value })),
      initial: "npm",
    },
  ],
  validate(answers, context) {
    assertName(textOf(answers, "name"), serviceNameProblem, "--name");
    for (const name of listOf(answers, "operation")) assertName(name, operationNameProblem, "--operation");
    templateOf(answers, context);
  },
  plan(answers: Answers, tree: Tree, context: GeneratorContext) {
    const templates = templatesOf(context);
    const template = templateOf(answers, context);
    const name = textOf(answers, "name");
    const into = answers.into === true;
    const folder = into ? `services/${name}` : "";
    assertEmpty(tree, folder, context.existing);
    const files = render(template, templates, answers);
    const operations = listOf(answers, "operation");
    const copy = prefixed(tree, folder, context.existing === "keep");
    for (const { path, content, executable } of files) copy.write(path, content, { executable });
    for (const operation of operations) {
      planOperation(copy, name, { name: operation, style: "service", data: textOf(answers, "data") });
    }
    if (into) addToWorkspace(tree, "services/*", fromFolder(folder, templates));
    const pm = textOf(answers, "pm");
    return [`${pm} install`, `${pm} start`, tryCommand(files, pm)];
  },
};

/** A file as a copy has it. */
interface RenderedFile {
  path: string;
  content: Buffer;
  executable: boolean;
}

/** All files of a copy, its manifest and merge base included. Pure: the same answers give the same bytes. */
function render(template: Template, templates: Templates, answers: Answers): RenderedFile[] {
  const name = textOf(answers, "name");
  const pm = textOf(answers, "pm");
  const into = answers.into === true;
  const files = template.files
    .filter(({ path }) => !into || !isOfWorkspace(path))
    .map((file): RenderedFile => {
      const path = renamed(file.path, template.service, name);
      const text = textIn(file);
      if (text === undefined) return toRendered(path, Buffer.from(file.base64 ?? "", "base64"), file);
      const rendered =
        path === "package.json"
          ? toPackageJson(text, { name, into, pm, templates })
          : renderText(path, renamed(text, template.service, name), pm, templates);
      return toRendered(path, Buffer.from(rendered, "utf8"), file);
    });
  const manifest: ProjectManifest = {
    schema: 1,
    name,
    template: template.name,
    templateVersion: templates.version,
    answers: { name, style: textOf(answers, "style"), data: textOf(answers, "data"), pm, into },
    zones,
  };
  files.push(toRendered(manifestFile, Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`), {}));
  const managed = files.filter(({ path }) =>
    zones.some(({ zone, files: pattern }) => zone === "managed" && pattern === path),
  );
  files.push(toRendered(".aieffect/base.tgz", toTarball(managed), {}));
  return files.sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** Managed files are those whose later versions matter to a project; what it is about is its user's. */
const zones: ProjectManifest["zones"] = [
  { zone: "derived", files: "src/gen/**" },
  { zone: "managed", files: "aieffect.json" },
  { zone: "managed", files: "package.json" },
  { zone: "managed", files: "pnpm-workspace.yaml" },
  { zone: "managed", files: "tsconfig.json" },
  { zone: "managed", files: "tsconfig.build.json" },
  { zone: "managed", files: "biome.json" },
  { zone: "managed", files: "Dockerfile" },
  { zone: "managed", files: ".dockerignore" },
  { zone: "managed", files: ".gitignore" },
  { zone: "managed", files: ".gitattributes" },
  { zone: "managed", files: ".github/workflows/ci.yml" },
  { zone: "managed", files: "compose.yaml" },
  { zone: "managed", files: "plopfile.js" },
  { zone: "managed", files: "vitest.config.ts" },
  { zone: "managed", files: "AGENTS.md" },
  { zone: "managed", files: "scripts/smoke.mjs" },
  { zone: "managed", files: "test/conformance.test.ts" },
  { zone: "managed", files: "test/start-service.ts" },
  { zone: "managed", files: ".aieffect/**" },
];

/** Overrides as the root of a workspace has them, where paths start at the root. */
function fromFolder(folder: string, { overrides = {} }: Templates): Record<string, string> {
  return Object.fromEntries(
    Object.entries(overrides).map(([name, from]) => [name, from.replace(/^file:/, `file:${folder}/`)]),
  );
}

/** What the root of a workspace has for all its packages. */
function isOfWorkspace(path: string): boolean {
  return (
    path.startsWith(".github/") || ["pnpm-workspace.yaml", ".gitattributes", "biome.json"].includes(path)
  );
}

/** The template's own name, in both its spellings, is what a copy replaces. */
function renamed(text: string, from: string, to: string): string {
  return text.replaceAll(from, to).replaceAll(toPascal(from), toPascal(to));
}

function renderText(path: string, text: string, pm: string, templates: Templates): string {
  const rendered = forPackageManager(path, text, pm);
  return path === "pnpm-workspace.yaml" ? withOverrides(rendered, templates) : rendered;
}

function textIn({ text }: TemplateFile): string | undefined {
  return text;
}

function toRendered(
  path: string,
  content: Buffer,
  { executable = false }: { executable?: boolean },
): RenderedFile {
  return { path, content, executable };
}

function templatesOf({ templates }: GeneratorContext): Templates {
  if (templates === undefined)
    throw new TypeError("Expected the templates in the generator's context, found none");
  return templates;
}

function templateOf(answers: Answers, context: GeneratorContext): Template {
  const wanted = `${textOf(answers, "data")}-${textOf(answers, "style")}`;
  const { services } = templatesOf(context);
  const template = services.find(({ name }) => name === wanted);
  if (template !== undefined) return template;
  throw new ScaffoldError("AE1202", {
    where: "--template",
    message: `Expected one of ${services.map(({ name }) => name).join(", ")}, found ${shown(wanted)}`,
  });
}

/** @throws ScaffoldError AE1301 where something is there and nothing was said about it */
export function assertEmpty(
  tree: Tree,
  folder: string,
  existing: GeneratorContext["existing"] = "refuse",
): void {
  // An empty repository is what people create first.
  const there = tree.list(folder).filter((name) => name !== ".git");
  if (there.length === 0 || existing !== "refuse") return;
  const names = there.length > 3 ? `${there.slice(0, 3).join(", ")}, ...` : there.join(", ");
  throw new ScaffoldError("AE1301", {
    where: folder === "" ? tree.root : `${tree.root}/${folder}`,
    message: `Expected a new or empty folder, found ${there.length} ${there.length === 1 ? "entry" : "entries"} (${names})`,
    tries: ["--merge (keep yours, add what is missing)", "--overwrite", "another folder"],
  });
}

/** A folder of the tree as a tree of its own; with `keep`, what is there stays. */
export function prefixed(tree: Tree, folder: string, keep: boolean): Tree {
  const at = (path: string) => (folder === "" ? path : path === "" ? folder : `${folder}/${path}`);
  return {
    root: tree.root,
    read: (path) => tree.read(at(path)),
    readText: (path) => tree.readText(at(path)),
    list: (path) => tree.list(at(path)),
    write(path, content, options) {
      if (!keep || tree.read(at(path)) === undefined) tree.write(at(path), content, options);
    },
    remove: (path) => tree.remove(at(path)),
    changes: () => tree.changes(),
  };
}

/** The third command of the copy's own README. */
function tryCommand(files: readonly RenderedFile[], pm: string): string {
  const readme = files.find(({ path }) => path === "README.md")?.content.toString() ?? "";
  return /^(?:npx|pnpm) aieffect try .*$/m.exec(readme)?.[0] ?? `${pm} run smoke`;
}
