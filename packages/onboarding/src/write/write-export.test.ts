import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { tempFolder } from "@aieffect/test-support";
import { unzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { planExport } from "../plan/plan-export.ts";
import { readUseCase } from "../read/read-use-case.ts";
import { row, writeUseCase } from "../testing/write-use-case.ts";
import { toExportFiles, toExportZip } from "./export-files.ts";
import { writeExport } from "./write-export.ts";

/** What child processes import: the package as it is published. */
const entry = new URL("../../dist/index.js", import.meta.url).href;

async function plans() {
  const read = await readUseCase(await writeUseCase(row));
  return { first: planExport(read), second: planExport(read, { tag: "2.0" }) };
}

/** Texts by path of all that lies in a folder. */
async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [file.slice(folder.length + 1), await readFile(file, "utf8")]),
    ),
  );
}

describe("an export", () => {
  it("is written with every file, readable, and its archive has all but the metadata", async () => {
    const { first } = await plans();
    const folder = join(await tempFolder(), "deep/er/export");
    const written = await writeExport(first, folder, { zip: true });
    expect(written).toEqual({ folder, zip: `${folder}.zip` });
    const files = await contents(folder);
    expect(files).toEqual(Object.fromEntries(toExportFiles(first)));
    expect(Object.keys(files).sort()).toEqual([
      "blueprint.json",
      "dockerinfo.json",
      "generation_metadata.json",
      "microservice/loader1.proto",
      "microservice/reporter1.proto",
      "microservice/trainer1.proto",
    ]);
    expect(files["blueprint.json"]).toBe(`${JSON.stringify(first.blueprint, undefined, 2)}\n`);
    const { "generation_metadata.json": _, ...packed } = files;
    const zip = unzipSync(await readFile(`${folder}.zip`));
    expect(
      Object.fromEntries(Object.entries(zip).map(([path, bytes]) => [path, Buffer.from(bytes).toString()])),
    ).toEqual(packed);
    // Nothing is left beside it.
    expect(await readdir(join(folder, ".."))).toEqual(["export", "export.zip"]);
  });

  it("is the same archive in every time zone, process and year", async () => {
    const folder = await tempFolder();
    const from = await writeUseCase(row);
    const script = `import { planExport, readUseCase, writeExport } from ${JSON.stringify(entry)};
await writeExport(planExport(await readUseCase(process.argv[1])), process.argv[2], { zip: true });`;
    const zones = ["Pacific/Kiritimati", "America/Los_Angeles"];
    const hashes = await Promise.all(
      zones.map(async (TZ, index) => {
        const out = join(folder, String(index));
        await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script, from, out], {
          env: { ...process.env, TZ },
        });
        return createHash("sha256")
          .update(await readFile(`${out}.zip`))
          .digest("hex");
      }),
    );
    const here = createHash("sha256").update(toExportZip(planExport(await readUseCase(from))));
    expect(new Set([...hashes, here.digest("hex")]).size).toBe(1);
  });

  it("does not replace another one unless it is told to, nor anything else ever", async () => {
    const { first, second } = await plans();
    const parent = await tempFolder();
    const folder = join(parent, "export");
    await writeExport(first, folder, { zip: true });
    const before = await contents(parent);
    await expect(writeExport(second, folder, { zip: true })).rejects.toMatchObject({
      problems: [
        { code: "exists", file: folder, message: "Expected a place for the export, found an export" },
        {
          code: "exists",
          file: `${folder}.zip`,
          message: "Expected a place for the export, found an archive",
        },
      ],
    });
    expect(await contents(parent)).toEqual(before);

    const home = join(parent, "home");
    await mkdir(home);
    await writeFile(join(home, "thesis.txt"), "text");
    await writeFile(join(parent, "file"), "text");
    for (const [place, found] of [
      [home, "a folder with something else than an export in it"],
      [join(parent, "file"), "a file"],
    ] as const) {
      await expect(writeExport(first, place, { overwrite: true })).rejects.toThrow(found);
    }
    await expect(writeExport(first, join(parent, "new"), { overwrite: true, zip: home })).rejects.toThrow(
      "a folder",
    );
    expect(await contents(home)).toEqual({ "thesis.txt": "text" });
    expect(await readdir(parent)).toEqual(["export", "export.zip", "file", "home"]);
  });

  it("replaces what is of an export, and lets the rest of the folder stay", async () => {
    const { first, second } = await plans();
    const folder = join(await tempFolder(), "export");
    await writeExport(first, folder, { zip: join(folder, "package.zip") });
    await writeFile(join(folder, "microservice/gone1.proto"), "");
    await writeFile(join(folder, "docker-compose.yml"), "services: {}\n");
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "data/result.csv"), "1\n");
    const old = await readFile(join(folder, "package.zip"));
    await writeExport(second, folder, { overwrite: true, zip: join(folder, "package.zip") });
    const { "package.zip": _, ...files } = await contents(folder);
    expect(files).toEqual({
      ...Object.fromEntries(toExportFiles(second)),
      "docker-compose.yml": "services: {}\n",
      "data/result.csv": "1\n",
    });
    expect((await readFile(join(folder, "package.zip"))).equals(old)).toBe(false);
  });

  it("goes where a link leads, and into a folder that is empty", async () => {
    const { first } = await plans();
    const parent = await tempFolder();
    await mkdir(join(parent, "real"));
    await symlink("real", join(parent, "link"));
    await writeExport(first, join(parent, "link"));
    expect((await stat(join(parent, "real/blueprint.json"))).isFile()).toBe(true);
  });
});

describe("an export that is interrupted", () => {
  const script = `import { planExport, readUseCase, writeExport } from ${JSON.stringify(entry)};
const [use_case, folder] = process.argv.slice(1);
const read = await readUseCase(use_case);
const plans = [planExport(read), planExport(read, { tag: "2.0" })];
console.log("ready");
for (let round = 0; ; round++) await writeExport(plans[round % 2], folder, { overwrite: true, zip: true });`;

  it("by a kill at any moment leaves one export or the other whole, and the next one clears up", async () => {
    const from = await writeUseCase(row);
    const read = await readUseCase(from);
    const whole = [planExport(read), planExport(read, { tag: "2.0" })].map((plan) =>
      Object.fromEntries(toExportFiles(plan)),
    );
    const parent = await tempFolder();
    const kill = async (index: number) => {
      const folder = join(parent, String(index));
      await writeExport(planExport(read), folder);
      await writeFile(join(folder, "notes.txt"), "mine\n");
      const child = spawn(process.execPath, ["--input-type=module", "-e", script, from, folder]);
      const ended = once(child, "exit");
      await once(child.stdout, "data");
      // Somewhere in the first rounds, each time elsewhere.
      await pause(index * 11.3);
      child.kill("SIGKILL");
      await ended;
      // Refused, because the export is there: or there again.
      await expect(writeExport(planExport(read), folder)).rejects.toThrow("found an export");
      const { "notes.txt": notes, ...files } = await contents(folder);
      expect(notes).toBe("mine\n");
      expect(whole).toContainEqual(files);
    };
    await Promise.all([0, 1, 2, 3].map(kill));
    for (const index of [0, 1, 2, 3])
      await writeExport(planExport(read), join(parent, String(index)), { overwrite: true, zip: true });
    const left = (await readdir(parent)).filter((name) => !/^\d(\.zip)?$/.test(name));
    expect(left).toEqual([]);
  });

  it("between taking the old one away and putting the new one there comes back; what is left of others goes", async () => {
    const { first, second } = await plans();
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    const parent = await tempFolder();
    const folder = join(parent, "export");
    const sibling = (kind: string) => join(parent, `.export.export-${kind}-${child.pid}-0`);
    await writeExport(first, folder);
    const before = await contents(folder);
    await rename(folder, sibling("old"));
    await writeExport(second, sibling("new"));
    await expect(writeExport(second, folder)).rejects.toThrow("found an export");
    expect(await contents(parent)).toEqual(
      Object.fromEntries(Object.entries(before).map(([path, text]) => [`export/${path}`, text])),
    );

    // Replaced already, but with somebody's file not yet moved over.
    await writeExport(second, sibling("old"));
    await writeFile(join(sibling("old"), "notes.txt"), "mine\n");
    await expect(writeExport(second, folder)).rejects.toThrow("found an export");
    expect(await contents(folder)).toEqual({ ...before, "notes.txt": "mine\n" });
    expect(await readdir(parent)).toEqual(["export"]);
  });

  it("by an error leaves nothing behind", async () => {
    const { first, second } = await plans();
    const parent = await tempFolder();
    const folder = join(parent, "export");
    await writeExport(first, folder);
    const before = await contents(parent);
    const broken = { ...second, protos: new Map([["microservice/\0.proto", ""]]) };
    await expect(writeExport(broken, folder, { overwrite: true })).rejects.toThrow();
    expect(await contents(parent)).toEqual(before);
  });

  it("by another one that writes at the same time is not disturbed", async () => {
    const { first, second } = await plans();
    const parent = await tempFolder();
    const folder = join(parent, "export");
    const places = ["a", "b", "c"].map((name) => join(parent, name));
    await Promise.all(
      places.map((place, index) => writeExport(index === 0 ? first : second, place, { zip: true })),
    );
    await writeExport(first, folder);
    expect(await readdir(parent)).toEqual(["a", "a.zip", "b", "b.zip", "c", "c.zip", "export"]);
  });

  it("by another process that replaces the same one is not disturbed, nor is what else lies there", async () => {
    const { first } = await plans();
    const parent = await tempFolder();
    const folder = join(parent, "export");
    await writeExport(first, folder);
    await writeFile(join(folder, "notes.txt"), "mine\n");
    const before = await contents(folder);
    const source = await writeUseCase(row);
    const code = `
      import { planExport, readUseCase, writeExport } from ${JSON.stringify(entry)};
      const plan = planExport(await readUseCase(${JSON.stringify(source)}));
      for (let i = 0; i < 60; i++) await writeExport(plan, ${JSON.stringify(folder)}, { overwrite: true });`;
    const run = () => promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
    await Promise.all([run(), run(), run()]);
    expect(await contents(folder)).toEqual(before);
    expect(await readdir(parent)).toEqual(["export"]);
  });

  it("by a signal that the process handles leaves nothing behind", async () => {
    const { first } = await plans();
    const parent = await tempFolder();
    const folder = join(parent, "export");
    await writeExport(first, folder);
    const before = await contents(parent);
    const source = await writeUseCase(row);
    // The signal comes as soon as there is something half-written.
    const code = `
      import { readdirSync } from "node:fs";
      import { planExport, readUseCase, writeExport } from ${JSON.stringify(entry)};
      process.on("SIGINT", () => process.exit(130));
      const plan = planExport(await readUseCase(${JSON.stringify(source)}), { tag: "2.0" });
      const protos = new Map(Array.from({ length: 5000 }, (_, at) => ["microservice/" + at + ".proto", ""]));
      writeExport({ ...plan, protos }, ${JSON.stringify(folder)}, { overwrite: true });
      const ask = () => readdirSync(${JSON.stringify(parent)}).length > 1 ? process.kill(process.pid, "SIGINT") : setImmediate(ask);
      ask();`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "inherit" });
    expect(await once(child, "exit")).toEqual([130, null]);
    expect(await contents(parent)).toEqual(before);
    expect(await readdir(parent)).toEqual(["export"]);
  });
});
