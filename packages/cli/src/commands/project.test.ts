import { existsSync } from "node:fs";
import { appendFile, cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { aieffect } from "../testing/aieffect.ts";
import { createProject } from "../testing/create-project.ts";
import { startService } from "../testing/start-service.ts";

interface Checked {
  check: string;
  status: string;
  found: string;
}

/** What doctor found, by check. */
async function doctor(args: string[], folder: string, env?: NodeJS.ProcessEnv) {
  const { code, out, err } = await aieffect(["doctor", "--json", ...args], folder, env);
  const { checks } = JSON.parse(out) as { checks: Checked[] };
  const statusOf = Object.fromEntries(checks.map(({ check, status }) => [check, status]));
  return { code, err, statusOf, found: (check: string) => checks.find((one) => one.check === check)?.found };
}

it.skipIf(process.platform === "win32")("doctor does without a pnpm that npx can run", async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, "package.json"), JSON.stringify({ packageManager: "pnpm@10.34.9" }));
  await mkdir(join(folder, "bin"));
  const only = async (name: string) => {
    const path = (process.env.PATH ?? "").split(delimiter).map((one) => join(one, name));
    await symlink(path.find((one) => existsSync(one)) as string, join(folder, "bin", name));
  };
  await only("node");
  await only("npx");
  const { code, statusOf, found } = await doctor([], folder, { PORT: "0", PATH: join(folder, "bin") });
  expect([code, statusOf["package-manager"]]).toEqual([0, "warning"]);
  expect(found("package-manager")).toBe("pnpm is not on the path; npx can run it");
});

describe("in a generated service, aieffect", () => {
  it("adds an operation once, however often it is asked, and tells what there is", async () => {
    const folder = await createProject();
    const dry = await aieffect(["add", "operation", "ForecastLoad", "--diff"], folder);
    expect([dry.code, dry.out]).toEqual([
      0,
      expect.stringContaining("+++ b/src/operations/forecast-load.ts"),
    ]);
    const added = await aieffect(["add", "operation", "ForecastLoad", "--style", "concurrent"], folder);
    expect(added).toMatchObject({
      code: 0,
      out: [
        "+ conformance/forecast-load.yaml",
        "~ proto/grid-load.proto",
        "~ src/gen/registry.ts",
        "+ src/operations/forecast-load.test.ts",
        "+ src/operations/forecast-load.ts",
        "",
      ].join("\n"),
      err: expect.stringMatching(/^Next:\n {2}write what it does: src\/operations\/forecast-load\.ts\n/),
    });
    const source = join(folder, "src/operations/forecast-load.ts");
    expect(await readFile(source, "utf8")).toContain('style: "concurrent"');
    await appendFile(source, "// mine\n");
    const [again, info] = await Promise.all([
      aieffect(["add", "operation", "ForecastLoad", "--json"], join(folder, "src")),
      aieffect(["info", "--json"], join(folder, "src")),
    ]);
    expect(JSON.parse(again.out)).toMatchObject({ ok: true, folder, files: [] });
    expect(await readFile(source, "utf8")).toMatch(/\/\/ mine\n$/);
    expect(JSON.parse(info.out)).toMatchObject({
      aieffect: "0.1.0",
      node: process.version,
      project: {
        folder,
        name: "grid-load",
        template: "file-sequential",
        operations: ["CleanLoad", "ForecastLoad"],
        packages: expect.arrayContaining([{ name: "@aieffect/cli", wanted: "^0.1.0", installed: null }]),
      },
    });
  });

  it("makes a pipeline of the services around, which the portal's rules accept", async () => {
    const services = join(await tempFolder(), "services");
    await mkdir(services);
    await cp(await createProject(), join(services, "grid-load"), { recursive: true });
    const inside = join(services, "grid-load", "src");
    const args = ["add", "pipeline", "day-ahead", "--services", "grid-load.CleanLoad"];
    const { code, out } = await aieffect(args, inside);
    expect([code, out.split("\n")]).toEqual([
      0,
      expect.arrayContaining([
        "+ pipelines/day-ahead/connections.json",
        "+ pipelines/day-ahead/services/grid-load/proto/grid-load.proto",
      ]),
    ]);
    const [again, unknown, checked] = await Promise.all([
      aieffect(args, inside),
      aieffect(["add", "pipeline", "x1", "--services", "nobody", "--json"], inside),
      aieffect(["check", "pipelines/day-ahead"], join(services, "..")),
    ]);
    expect(again).toMatchObject({
      code: 0,
      out: "",
      err: "Everything is there already; nothing was changed\n",
    });
    expect(JSON.parse(unknown.out)).toMatchObject({ error: { code: "AE1202" }, exit_code: 2 });
    expect([checked.code, checked.out]).toEqual([0, expect.stringContaining("0 errors")]);
  });

  it("says whose a file is", async () => {
    const folder = await createProject();
    await appendFile(join(folder, "Dockerfile"), "# mine\n");
    const why = async (file: string) => (await aieffect(["why", file], folder)).out;
    const [derived, unchanged, yours, changed] = await Promise.all([
      why("src/gen/registry.ts"),
      why(join(folder, "tsconfig.json")),
      why("src/main.ts"),
      aieffect(["why", "Dockerfile", "--json"], folder),
    ]);
    expect(derived).toMatch(/^src\/gen\/registry\.ts is derived: it is made from other files and rewritten;/);
    expect(unchanged).toMatch(/^tsconfig\.json is managed: .*; it is as it was created /);
    expect(yours).toMatch(/^src\/main\.ts is yours: it is never touched/);
    expect(JSON.parse(changed.out)).toMatchObject({ zone: "managed", pattern: "Dockerfile", changed: true });
  });

  it("finds what is in the way, and mends what it can", async () => {
    const folder = await createProject();
    const registry = join(folder, "src/gen/registry.ts");
    const before = await readFile(registry, "utf8");
    await writeFile(registry, "");
    await rm(join(folder, ".aieffect/base.tgz"));
    // Packages of this disk: installing them needs no network.
    for (const [name, version] of [
      ["a", "0.1.0"],
      ["b", "0.2.0"],
    ] as const) {
      await mkdir(join(folder, name));
      await writeFile(
        join(folder, name, "package.json"),
        JSON.stringify({ name: `@aieffect/${name}`, version }),
      );
    }
    const dependencies = { "@aieffect/a": "file:a", "@aieffect/b": "file:b" };
    await writeFile(join(folder, "package.json"), JSON.stringify({ dependencies }));
    const env = { PORT: "0", LOG_LEVEL: "loud", SERVICE_API_KEY: "canary key", DATA_DIR: "package.json" };
    const ill = await doctor([], folder, env);
    expect(ill).toMatchObject({
      code: 5,
      statusOf: {
        node: "ok",
        "package-manager": "ok",
        manifest: "ok",
        "merge-base": "failure",
        derived: "failure",
        installed: "failure",
        versions: "skipped",
        "env-PORT": "ok",
        "env-LOG_LEVEL": "failure",
        "env-SERVICE_API_KEY": "failure",
        "env-DATA_DIR": "failure",
      },
    });
    expect(ill.found("installed")).toBe("2 not installed: @aieffect/a, @aieffect/b");
    expect(ill.found("env-SERVICE_API_KEY")).toMatch(/^SERVICE_API_KEY is set: expected printable/);
    const offline = { PORT: "0", npm_config_audit: "false", npm_config_offline: "true" };
    const mended = await doctor(["--fix"], folder, offline);
    expect(mended).toMatchObject({
      code: 5,
      statusOf: { derived: "ok", installed: "ok", versions: "warning" },
    });
    expect(mended.found("installed")).toBe("all dependencies are installed (fixed: npm install)");
    expect(mended.found("derived")).toMatch(/\(fixed: rewrote src\/gen\/registry\.ts\)$/);
    expect(await readFile(registry, "utf8")).toBe(before);
  });

  it("brings back a manifest that was lost or broken, from the merge base", async () => {
    const folder = await createProject();
    const manifest = join(folder, "aieffect.json");
    // Nothing is to be installed.
    await writeFile(join(folder, "package.json"), "{}");
    const before = await readFile(manifest, "utf8");
    await rm(manifest);
    const lost = await aieffect(["add", "operation", "Load"], join(folder, "src"));
    expect([lost.code, lost.err]).toEqual([
      4,
      expect.stringMatching(/AE4301 [\s\S]* try: {2}aieffect doctor --fix/),
    ]);
    expect((await doctor(["--fix"], folder)).statusOf.manifest).toBe("ok");
    expect(await readFile(manifest, "utf8")).toBe(before);
    await writeFile(manifest, '{"mine": ');
    expect((await doctor([], folder)).statusOf.manifest).toBe("failure");
    const mended = await doctor(["--fix"], folder);
    expect(mended.found("manifest")).toContain("what was there is in aieffect.json.broken");
    expect(await readFile(manifest, "utf8")).toBe(before);
    expect(await readFile(`${manifest}.broken`, "utf8")).toBe('{"mine": ');
    await writeFile(join(folder, ".aieffect/base.tgz"), "no archive");
    const why = await aieffect(["why", "Dockerfile"], folder);
    expect([why.code, why.err]).toEqual([4, expect.stringContaining("AE4302 manifest-invalid")]);
  });

  it("knows a service from something else at its port, and a key that does not fit", async () => {
    const { url, port } = await startService({ api_key: "s3cret-canary" });
    const other = createServer((_request, response) => response.end("hello"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      other.closeAllConnections();
      other.close();
    });
    const folder = await tempFolder();
    const key = ["--service", url, "--token", "env:KEY"];
    const [ours, others, wrong, right] = await Promise.all([
      doctor([], folder, { PORT: String(port) }),
      doctor([], folder, { PORT: String((other.address() as AddressInfo).port) }),
      doctor(key, folder, { KEY: "no" }),
      doctor(key, folder, { KEY: "s3cret-canary" }),
    ]);
    expect(ours.statusOf["port-service"]).toBe("ok");
    expect([others.code, others.statusOf["port-service"]]).toEqual([0, "warning"]);
    expect([wrong.code, wrong.statusOf]).toMatchObject([5, { service: "ok", operations: "failure" }]);
    expect([right.code, right.found("operations")]).toEqual([
      0,
      expect.stringMatching(/^CountRows, Wait, Drop; additions: wait, /),
    ]);
  });

  it("says where a project is wanted, and a name that can be", async () => {
    const [folder, broken] = [await createProject(), await createProject()];
    await writeFile(join(broken, "aieffect.json"), "{}");
    const outside = await tempFolder();
    const cases: [string[], string, number, string][] = [
      [["add", "operation", "../x"], folder, 2, "AE1201"],
      [["add", "operation"], folder, 2, "AE1203"],
      [["add", "operation", "Load"], outside, 4, "AE4301"],
      [["why", "nothing.ts"], folder, 2, "AE2002"],
      [["why", "package.json"], broken, 4, "AE1401"],
    ];
    const found = await Promise.all(cases.map(([args, cwd]) => aieffect([...args, "--json"], cwd)));
    for (const [index, [args, , exit_code, code]] of cases.entries()) {
      const { out, ...rest } = found[index] as (typeof found)[number];
      expect({ args, ...rest, ...JSON.parse(out) }).toMatchObject({
        args,
        exit_code,
        error: { code },
        code: exit_code,
      });
    }
    expect((await aieffect(["info", "--json"], outside)).out).toContain('"project": null');
  });
});
