import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  commitTree,
  conformanceCaseGenerator,
  operationGenerator,
  pipelineGenerator,
  planGenerator,
  readTemplates,
  serviceGenerator,
} from "@aieffect/generators";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const templates = readTemplates(root);
const plop = join(root, "node_modules/plop/bin/plop.js");
const aieffect = join(root, "packages/cli/dist/main.js");
const create = join(root, "packages/create-aieffect-service/dist/main.js");

/** Runs a door; it has to end with 0. */
function open(cwd: string, program: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, INIT_CWD: cwd, CI: "1", npm_config_user_agent: "" },
  });
  expect({ status, stdout, stderr }).toMatchObject({ status: 0 });
}

/** Every file below a folder with its mode and bytes. */
function filesIn(folder: string, prefix = ""): string[] {
  return readdirSync(join(folder, prefix), { withFileTypes: true })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${prefix}${entry.name}`;
      if (entry.name === "node_modules") return [];
      if (entry.isDirectory()) return filesIn(folder, `${path}/`);
      const { mode } = statSync(join(folder, path));
      return [`${path} ${(mode & 0o111) !== 0} ${readFileSync(join(folder, path)).toString("base64")}`];
    });
}

/** A service that the engine itself wrote, with the packages that its plopfile needs. */
function engineService(cwd: string, name: string): string {
  const at = join(cwd, name);
  commitTree(planGenerator(serviceGenerator, { name: "door-svc" }, { root: at, templates }).tree);
  mkdirSync(join(at, "node_modules/@aieffect"), { recursive: true });
  symlinkSync(join(root, "generators"), join(at, "node_modules/@aieffect/generators"));
  return at;
}

describe("all doors give the same tree, byte for byte", () => {
  it("service: the engine, create-aieffect-service, plop", async () => {
    const cwd = await tempFolder();
    const plan = planGenerator(
      serviceGenerator,
      { name: "door-svc", style: "sequential" },
      { root: join(cwd, "engine"), templates },
    );
    commitTree(plan.tree);
    open(cwd, create, ["created", "--name", "door-svc", "--style", "sequential"]);
    const plopfile = join(root, "generators/plopfile.mjs");
    open(cwd, plop, ["--plopfile", plopfile, "service", "door-svc", "sequential", "file", "npm"]);
    const expected = filesIn(join(cwd, "engine"));
    expect(expected.length).toBeGreaterThan(30);
    expect(filesIn(join(cwd, "created"))).toEqual(expected);
    expect(filesIn(join(cwd, "door-svc"))).toEqual(expected);
  });

  it.each([
    [
      "operation",
      operationGenerator,
      { name: "DropRows", style: "sequential" },
      ["DropRows", "sequential"],
      ["--style", "sequential"],
    ],
    [
      "pipeline",
      pipelineGenerator,
      { name: "day-ahead", services: "door-svc" },
      ["day-ahead", "door-svc"],
      ["--services", "door-svc"],
    ],
  ] as const)("%s: the engine, aieffect add, plop", async (kind, generator, answers, bypass, flags) => {
    const cwd = await tempFolder();
    const [engine, cli, plopped] = ["engine", "cli", "plopped"].map((name) => engineService(cwd, name)) as [
      string,
      string,
      string,
    ];
    const plan = planGenerator(generator, { ...answers }, { root: engine });
    expect(plan.changes.length).toBeGreaterThan(3);
    commitTree(plan.tree);
    open(cli, aieffect, ["add", kind, answers.name, ...flags]);
    open(plopped, plop, [kind, ...bypass]);
    expect(filesIn(cli)).toEqual(filesIn(engine));
    expect(filesIn(plopped)).toEqual(filesIn(engine));
  });
});

describe.each(templates.services.map(({ name }) => name))("%s", (template) => {
  it.each(["ab", `a${"b".repeat(62)}`])("passes its own lint, called %s", async (name) => {
    const cwd = await tempFolder();
    const [data, style] = template.split("-");
    const operation = ["Ab", `A${"b".repeat(62)}`, "Delete", "Default", "Plane", "DefineOperation", "Await"];
    const at = join(cwd, "svc");
    const plan = planGenerator(serviceGenerator, { name, data, style, operation }, { root: at, templates });
    commitTree(plan.tree);
    commitTree(planGenerator(pipelineGenerator, { name: name.replace("a", "p") }, { root: at }).tree);
    open(at, join(root, "node_modules/@biomejs/biome/bin/biome"), ["check", "--error-on-warnings", "."]);
  });
});

it("tells a workspace where packages come from that are not published, and leaves what it says", async () => {
  const root = await tempFolder();
  const file = join(root, "pnpm-workspace.yaml");
  writeFileSync(file, "packages:\n  - services/* # all\n");
  const overrides = { "@aieffect/cli": "file:vendor/cli.tgz" };
  for (const name of ["one-svc", "two-svc"]) {
    const context = { root, templates: { ...templates, overrides } };
    commitTree(planGenerator(serviceGenerator, { name, into: true }, context).tree);
  }
  expect(readFileSync(file, "utf8")).toBe(
    'packages:\n  - services/* # all\noverrides:\n  "@aieffect/cli": file:services/one-svc/vendor/cli.tgz\n',
  );
});

describe("a case of the conformance suite", () => {
  const answers = { profile: "core", slug: "my-own-case", rule: "R-HEALTH-01", holds: "It holds" };
  const plan = (more: Record<string, string>) =>
    planGenerator(conformanceCaseGenerator, { ...answers, ...more }, { root });

  it("is the next of its profile, and in its list", () => {
    const { changes } = plan({});
    expect(changes.map(({ kind, path }) => `${kind} ${path.replace(/\d+/, "N")}`)).toEqual([
      "create packages/conformance/src/cases/core/cN-my-own-case.ts",
      "update packages/conformance/src/cases/core/index.ts",
    ]);
    expect(changes[1]?.after?.content.toString()).toMatch(/ {2}myOwnCase,\n\];\n$/);
  });

  it("that is there already changes nothing", () => {
    expect(plan({ slug: "no-redirect" }).changes).toEqual([]);
  });

  it.each([
    [{ profile: "nonsense" }, "AE1202"],
    [{ rule: `R-NONE-${99}` }, "AE1202"],
    [{ slug: "../x" }, "AE1201"],
  ])("is refused: %j", (more, code) => {
    expect(() => plan(more)).toThrow(expect.objectContaining({ code }));
  });
});

describe("a pipeline", () => {
  it.each([
    ["file", "sequential", "concurrent", "ForecastLoad"],
    ["protobuf", "concurrent", "sequential", "CheckFeeder"],
  ])(
    "of two %s services is one that the portal takes, and made again is no change",
    async (data, first, second, last) => {
      const cwd = await tempFolder();
      for (const [name, style] of [
        ["one-svc", first],
        ["two-svc", second],
      ] as const) {
        const context = { root: join(cwd, "services", name), templates };
        commitTree(planGenerator(serviceGenerator, { name, data, style }, context).tree);
      }
      const answers = { name: "day-ahead", services: "one-svc,two-svc" };
      const add = () => commitTree(planGenerator(pipelineGenerator, answers, { root: cwd }).tree);
      add();
      const folder = join(cwd, "pipelines/day-ahead");
      open(cwd, aieffect, ["check", folder]);
      open(cwd, aieffect, ["export", folder]);
      const { nodes } = JSON.parse(readFileSync(join(folder, "export/blueprint.json"), "utf8"));
      expect(nodes[0].operation_signature_list[0].connected_to[0]).toMatchObject({
        container_name: "two-svc1",
        operation_signature: { operation_name: last },
      });
      const compose = readFileSync(join(folder, "compose.yaml"), "utf8");
      expect(compose.includes("GRPC_HOST: two-svc\n")).toBe(data === "protobuf");
      expect(compose).toMatch(/^ {6}SELF_URL: .*\n(?: {6}GRPC_HOST: .*\n)? {6}SERVICE_API_KEY: /m);
      expect(add()).toEqual([]);
    },
  );

  it.each([
    ["nobody", 'found "nobody"'],
    ["cleaner.Nothing", "which has CleanLoad"],
    ["cleaner,cleaner", "found cleaner twice"],
  ])("of %s is refused", async (services, message) => {
    const cwd = await tempFolder();
    const at = join(cwd, "services/cleaner");
    commitTree(
      planGenerator(serviceGenerator, { name: "cleaner", style: "sequential" }, { root: at, templates }).tree,
    );
    expect(() => planGenerator(pipelineGenerator, { name: "p1", services }, { root: cwd })).toThrow(message);
    expect(existsSync(join(dirname(at), "../pipelines"))).toBe(false);
  });
});
