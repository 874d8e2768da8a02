import { ScaffoldError } from "../errors.ts";
import type { GeneratorContext } from "../generator.ts";
import type { Template, Templates } from "../templates/templates.ts";
import { toPackageJson } from "./package-json.ts";

/** Tests of the repository itself, which need packages that are not published, and how it generates code. */
const left = /(?:\.test\.ts$|^test\/|^buf(?:\.gen)?\.yaml$)/;
/** What only those tests use. */
const testing = ["@aieffect/test-support", "fast-check", "vitest"];

/** The files of a use case as a project of its own: versions instead of workspace links, a build of its own. */
export function renderExample(
  example: Template,
  name: string,
  pm: string,
  { templates }: GeneratorContext,
): { path: string; content: Buffer; executable: boolean }[] {
  if (templates === undefined) throw new TypeError("Expected the templates in the context, found none");
  return example.files
    .filter(({ path }) => !left.test(path))
    .map(({ path, text, base64, executable = false }) => {
      const content =
        text === undefined
          ? Buffer.from(base64 ?? "", "base64")
          : Buffer.from(renderText(path, text, { example, name, pm, templates }), "utf8");
      return { path, content, executable };
    });
}

interface Rendering {
  example: Template;
  name: string;
  pm: string;
  templates: Templates;
}

function renderText(path: string, text: string, rendering: Rendering): string {
  const { example, name, templates } = rendering;
  // A package finds its own files by its name.
  const own = text.replaceAll(`@aieffect/${example.service}`, name);
  if (path === "package.json") return examplePackageJson(text, rendering);
  if (path === "tsconfig.json") return exampleTsconfig(text);
  if (path === "pnpm-workspace.yaml") return withOverrides(own, templates);
  if (path.endsWith("Dockerfile")) return exampleDockerfile(path, own);
  if (/^(?:docker-)?compose\.ya?ml$/.test(path)) {
    return own
      .replaceAll("context: ../..", "context: .")
      .replaceAll(/dockerfile: use-cases\/[^/]+\//g, "dockerfile: ")
      .replace(", or use start.sh at the repository's root", "");
  }
  if (path === "README.md") return exampleReadme(own);
  // The schema is the repository's, and no dependency of the project.
  if (path === "connections.json") return own.replace(/^ *"\$schema": "\.\..*\n/m, "");
  if (path.endsWith("submit-workflow.sh")) {
    return (
      own
        .replace("/../../scripts/submit-workflow.sh", "/scripts/submit-workflow.sh")
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
        .replace("./start.sh ${here##*/} (Docker)", "docker compose up --build --detach (Docker)")
        .replace("npm run demo -- --pipeline protobuf", "npm run demo --")
    );
  }
  return own;
}

/** pnpm reads overrides from the workspace's file alone. */
export function withOverrides(text: string, { overrides = {} }: Templates): string {
  const lines = Object.entries(overrides).map(([name, from]) => `  "${name}": ${from}\n`);
  return lines.length > 0 ? `${text}overrides:\n${lines.join("")}` : text;
}

function examplePackageJson(text: string, { name, pm, templates }: Rendering): string {
  const { files: _, knip: __, devDependencies = {}, ...kept } = JSON.parse(text);
  const development = Object.entries(devDependencies).filter(([one]) => !testing.includes(one));
  const scripts = {
    build: "tsc",
    demo: "tsc && node dist/demo/main.js",
    typecheck: "tsc --noEmit",
  };
  const changed = {
    ...kept,
    scripts,
    devDependencies: {
      // What its README runs.
      "@aieffect/cli": "workspace:^",
      "@aieffect/orchestrator-lite": "workspace:^",
      ...Object.fromEntries(development),
      typescript: "catalog:",
    },
  };
  return toPackageJson(JSON.stringify(changed), { name, into: false, pm, templates });
}

/** What the repository's base has, for one project alone. */
function exampleTsconfig(text: string): string {
  const { include } = JSON.parse(text) as { include: string[] };
  const compilerOptions = {
    target: "ES2023",
    lib: ["ES2023"],
    types: ["node"],
    module: "NodeNext",
    moduleResolution: "NodeNext",
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
    erasableSyntaxOnly: true,
    rewriteRelativeImportExtensions: true,
    resolveJsonModule: true,
    skipLibCheck: true,
    rootDir: ".",
    outDir: "dist",
  };
  const own = include.filter((folder) => folder !== "test");
  return `${JSON.stringify({ compilerOptions, include: own, exclude: ["**/*.test.ts"] }, undefined, 2)}\n`;
}

/** Built from the project's own folder instead of the repository's. */
function exampleDockerfile(path: string, text: string): string {
  const rewritten = text
    .replace(
      /^# Build from the repository's root:.*\n/m,
      `# Build from this project's root: docker build -f ${path} .\n`,
    )
    .replace(
      /^RUN npx [\s\S]*? \/out$/m,
      "RUN npm install --no-audit --no-fund && npm run build && npm prune --omit=dev",
    )
    .replaceAll("--from=build /out/", "--from=build /repo/");
  if (/pnpm|use-cases\//.test(rewritten)) {
    throw new ScaffoldError("AE1101", {
      where: path,
      message: "Expected a Dockerfile that can be rewritten, found another",
    });
  }
  return rewritten;
}

function exampleReadme(text: string): string {
  return text
    .replaceAll(" From the repository's root:", "")
    .replaceAll("npm run demo -- --pipeline protobuf", "npm run demo --")
    .replaceAll(
      /^\.\/start\.sh .*$/gm,
      "docker network create ai-effect-services\ndocker compose up --build --detach",
    )
    .replaceAll(/^use-cases\/[^/\s]+\//gm, "./")
    .replaceAll(/^\.\/stop\.sh .*$/gm, "docker compose down");
}
