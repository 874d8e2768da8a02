import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { tempFolder } from "@aieffect/test-support";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const energy = fileURLToPath(new URL("../../../use-cases/file_based_energy_pipeline", import.meta.url));

beforeAll(() => {
  if (!existsSync(main)) throw new Error(`Expected ${main}; build it first: npx tsc -b packages/cli`);
});

/** Runs the command in a folder. */
async function aieffect(args: string[], cwd: string) {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, INIT_CWD: cwd },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [out, err, code] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended]);
  return { out: String(out), err: String(err), code };
}

/** A copy of the energy pipeline's documents, in a folder of the same name. */
async function energyCopy(): Promise<string> {
  const folder = join(await tempFolder(), "file_based_energy_pipeline");
  await mkdir(folder);
  await cp(join(energy, "connections.json"), join(folder, "connections.json"));
  for (const node of await readdir(join(energy, "services"))) {
    await cp(join(energy, "services", node, "proto"), join(folder, "services", node, "proto"), {
      recursive: true,
    });
  }
  return folder;
}

const digest = async (file: string) =>
  createHash("sha256")
    .update(await readFile(file))
    .digest("hex");

describe("aieffect", () => {
  it("exports, checks, draws and imports a use case", async () => {
    const folder = await energyCopy();
    const exported = await aieffect(["export", "--zip"], folder);
    expect([exported.code, exported.err, exported.out.trim().split("\n")]).toEqual([
      0,
      "",
      [join(folder, "export"), join(folder, "export.zip")],
    ]);
    const first = await digest(join(folder, "export.zip"));
    expect((await aieffect(["export", "--zip"], folder)).code).toBe(4);
    expect((await aieffect(["export", "--zip", "--overwrite"], folder)).code).toBe(0);
    expect(await digest(join(folder, "export.zip"))).toBe(first);
    expect((await aieffect(["check", "export.zip"], folder)).out).toBe("0 errors, 0 warnings\n");
    expect((await aieffect(["check"], folder)).code).toBe(0);
    const imported = await aieffect(["import", "export.zip", "--output", "again"], folder);
    expect(imported.code).toBe(0);
    expect(await readdir(join(folder, "again"))).toEqual(["connections.json", "services"]);
    const drawn = await aieffect(["graph", "export", "--output", "pipeline.svg"], folder);
    expect(drawn.code).toBe(0);
    expect(await readFile(join(folder, "pipeline.svg"), "utf8")).toMatch(/^<svg .*<\/svg>\n$/s);
  });

  it("writes a compose file and a build script that can be run", async () => {
    const folder = await energyCopy();
    const composed = await aieffect(
      ["export", "compose", "--output", "compose.yml", "--orchestrator"],
      folder,
    );
    expect([composed.code, composed.err]).toEqual([0, `${join(folder, "compose.yml")}\n`]);
    expect((await aieffect(["export", "compose"], folder)).out).toContain("data-analyzer:");
    const script = await aieffect(["build-script"], folder);
    expect(script.code).toBe(0);
    if (process.platform !== "win32")
      expect((await stat(join(folder, "build_and_tag.sh"))).mode & 0o111).toBe(0o111);
    const again = await aieffect(["build-script"], folder);
    expect([again.code, again.err]).toEqual([2, expect.stringContaining("replace it with --overwrite")]);
  });

  it("tells every problem at once, with file and line, and writes nothing", async () => {
    const folder = await energyCopy();
    const connections = JSON.parse(await readFile(join(folder, "connections.json"), "utf8"));
    const [first, second] = connections.pipeline.connections;
    first.from_method = "GetConfig";
    second.to_service = "analyser";
    await writeFile(join(folder, "connections.json"), JSON.stringify(connections, undefined, 2));
    const { code, err, out } = await aieffect(["export"], folder);
    expect([code, out]).toEqual([4, ""]);
    expect(err).toMatch(/^connections\.json:\d+: error \[unknown-method\] .*found "GetConfig"/m);
    expect(err).toMatch(/^connections\.json:\d+: error \[unknown-service\] .*found "analyser"/m);
    expect(await readdir(folder)).toEqual(["connections.json", "services"]);
    const sarif = JSON.parse((await aieffect(["check", "--format", "sarif"], folder)).out);
    expect(sarif).toMatchObject({
      version: "2.1.0",
      runs: [{ tool: { driver: { name: "aieffect check" } } }],
    });
    expect(sarif.runs[0].results[0].locations[0].physicalLocation).toMatchObject({
      artifactLocation: { uri: "connections.json", uriBaseId: "USECASE" },
      region: { startLine: expect.any(Number) },
    });
    const json = JSON.parse((await aieffect(["check", "--format", "json"], folder)).out);
    expect(json.problems.length).toBe(sarif.runs[0].results.length);
  });

  it("judges a use case as the export with the same flags does", async () => {
    const folder = await energyCopy();
    expect((await aieffect(["check"], folder)).code).toBe(0);
    const local = await aieffect(["check", "--local"], folder);
    expect([local.code, local.out]).toEqual([4, expect.stringContaining("[host-port]")]);
    const protobuf = join(energy, "../protobuf_based_energy_pipeline");
    expect((await aieffect(["check", protobuf], folder)).out).toContain("or export with --align");
    expect((await aieffect(["check", protobuf, "--align"], folder)).code).toBe(0);
    const exported = await aieffect(["check", join(energy, "export"), "--align"], folder);
    expect([exported.code, exported.err]).toEqual([2, expect.stringContaining("a use case for --align")]);
  });

  it("reports what cannot be read at all in the format that was asked for", async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, "broken.zip"), "no archive");
    const json = await aieffect(["check", "broken.zip", "--format", "json"], folder);
    expect([json.code, json.err, JSON.parse(json.out).problems[0].code]).toEqual([4, "", "unreadable"]);
    const sarif = await aieffect(["check", "broken.zip", "--format", "sarif", "--output", "s.sarif"], folder);
    expect(sarif.code).toBe(4);
    const { runs } = JSON.parse(await readFile(join(folder, "s.sarif"), "utf8"));
    expect(runs[0].results[0].ruleId).toBe("unreadable");
  });

  it("makes a compose file of an export as of its use case, without building or naming images", async () => {
    const folder = await energyCopy();
    await aieffect(["export", "--zip"], folder);
    const ofUseCase = await aieffect(["export", "compose"], folder);
    expect(ofUseCase.code).toBe(0);
    for (const source of ["export", "export.zip"])
      expect(await aieffect(["export", "compose", source], folder)).toEqual(ofUseCase);
    const built = await aieffect(["export", "compose", "export", "--dev", "--tag", "2"], folder);
    expect([built.code, built.err]).toEqual([2, expect.stringContaining("a use case for --dev and --tag")]);
  });

  it("says that its output could not be written", async ({ skip }) => {
    if (!existsSync("/dev/full")) skip("no /dev/full on this system");
    const folder = await energyCopy();
    const child = spawn("sh", ["-c", '"$0" "$@" > /dev/full', process.execPath, main, "graph", folder], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [err, [code]] = await Promise.all([buffer(child.stderr), once(child, "close")]);
    expect([code, String(err)]).toEqual([1, expect.stringMatching(/^Could not write the output: .*\n$/)]);
  });

  it.each([
    [[], 2, "Usage:"],
    [["export", ".", "--registry", "https://registry.example.org"], 2, "aieffect export --help"],
    [["build-script", "--tag", "a b"], 2, "Expected tag to be"],
    [["exprot"], 2, 'found "exprot"'],
    [["check", "--format", "xml"], 2, "Expected --format to be text or json or sarif"],
    [["export", "a", "b"], 2, "Expected one use case, found 2"],
    [["export", "--digest", "x=1"], 2, "Expected --digest to be NAME=sha256:"],
    [["export", "compose", "--base-port", "0"], 2, "Expected --base-port to be a port"],
    [["check", "--nonsense"], 2, "Unknown option '--nonsense'"],
    [["import", "missing.zip"], 4, "Expected a portal package, found nothing"],
    [["graph", "missing"], 4, "Expected the folder of a use case, found nothing at"],
  ])("refuses %j", async (args, code, message) => {
    const found = await aieffect(args, await tempFolder());
    expect([found.code, found.out]).toEqual([code, ""]);
    expect(found.err).toContain(message);
  });

  it.each([[["--help"]], [["export", "--help"]], [["export", "compose", "--help"]], [["help", "import"]]])(
    "teaches: %j",
    async (args) => {
      const { code, out, err } = await aieffect(args, await tempFolder());
      expect([code, err]).toEqual([0, ""]);
      expect(out).toMatch(/^aieffect[^\n]*:[\s\S]*Usage:/);
    },
  );
});
