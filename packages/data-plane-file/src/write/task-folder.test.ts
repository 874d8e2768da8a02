import { spawn } from "node:child_process";
import { mkdir, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { tempFolder } from "@aieffect/test-support";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFilePlane } from "../index.ts";
import { toFolderName } from "./folder-name.ts";

/** Any UTF-16, lone surrogates included, and what looks like the folder of another id. */
const ids = fc.oneof(
  fc.array(fc.nat({ max: 0xffff }), { maxLength: 150 }).map((codes) => String.fromCharCode(...codes)),
  fc
    .array(fc.constantFrom("a", "A", ".", "..", "/", "\\", "_", "~", "\0", "con", "é", " "), { maxLength: 6 })
    .map((parts) => parts.join("")),
  fc.string().map(toFolderName),
);

describe("folder names", () => {
  it.each([
    ["wf-0123456789ab", "wf-0123456789ab"],
    ["task_5195c7eb", "task_5195c7eb"],
    ["v1.2", "v1.2"],
    ["x".repeat(100), "x".repeat(100)],
  ])("of a plain id is the id: %s", (id, name) => {
    expect(toFolderName(id)).toBe(name);
  });

  it.each([
    ["a/b", /^a_b_[0-9a-f]{12}$/],
    ["..", /^___[0-9a-f]{12}$/],
    ["", /^_[0-9a-f]{12}$/],
    [".hidden", /^_hidden_[0-9a-f]{12}$/],
    ["con.x", /^con_x_[0-9a-f]{12}$/],
    ["NUL", /^NUL_[0-9a-f]{12}$/],
    ["end.", /^end__[0-9a-f]{12}$/],
    ["a~2", /^a_2_[0-9a-f]{12}$/],
    ["x".repeat(101), /^x{40}_[0-9a-f]{12}$/],
    ["a_0123456789ab", /^a_0123456789ab_[0-9a-f]{12}$/],
  ])("of any other id is safe: %j", (id, name) => {
    expect(toFolderName(id)).toMatch(name);
  });

  it("are never shared by two ids, not even by an id and another's folder name", () => {
    fc.assert(
      fc.property(ids, ids, (one, other) => {
        if (one !== other) expect(toFolderName(one)).not.toBe(toFolderName(other));
        if (toFolderName(one) !== one) expect(toFolderName(toFolderName(one))).not.toBe(toFolderName(one));
      }),
      { numRuns: 2000 },
    );
    expect(toFolderName("\ud800")).not.toBe(toFolderName("\ud801"));
  });
});

describe("createTaskFolder", () => {
  it("puts the tag of its process behind the task, which no other folder ends with", async () => {
    const data_dir = await tempFolder();
    const names = [];
    for (const folder_tag of ["r1", undefined, "r1", "r2", undefined]) {
      const plane = createFilePlane({ data_dir, ...(folder_tag && { folder_tag }) });
      const folder = await plane.createTaskFolder("w", "t");
      names.push(relative(data_dir, folder));
    }
    expect(names.map((name) => name.split(sep)[1])).toEqual(["t~r1", "t", "t~r1~2", "t~r2", "t~2"]);
    for (const folder_tag of ["2", "", "a/b", "a~b"]) {
      expect(() => createFilePlane({ data_dir, folder_tag })).toThrow("Expected folder_tag to be a letter");
    }
  });

  it("creates exactly two levels below data_dir, whatever the ids", async () => {
    const data_dir = await tempFolder();
    const plane = createFilePlane({ data_dir });
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(ids, ids, async (workflow, task) => {
        const folder = await plane.createTaskFolder(workflow, task);
        const steps = relative(data_dir, folder).split(sep);
        expect(steps.length).toBe(2);
        expect(steps).not.toContain("..");
        expect(seen.has(folder)).toBe(false);
        seen.add(folder);
        expect((await stat(folder)).isDirectory()).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("counts the executions of a task", async () => {
    const data_dir = await tempFolder();
    const plane = createFilePlane({ data_dir });
    const folders = [];
    for (let call = 0; call < 3; call++) folders.push(await plane.createTaskFolder("wf", "task"));
    expect(folders).toEqual(["task", "task~2", "task~3"].map((name) => join(data_dir, "wf", name)));
  });

  it("gives callers in two processes folders of their own", async () => {
    const data_dir = await tempFolder();
    const program = `
      import { createFilePlane } from "@aieffect/data-plane-file";
      const plane = createFilePlane({ data_dir: process.argv[1] });
      const folders = await Promise.all(Array.from({ length: 30 }, () => plane.createTaskFolder("wf", "task")));
      console.log(folders.join("\\n"));`;
    const outputs = await Promise.all(
      [1, 2].map(() => {
        const child = spawn(process.execPath, ["--input-type=module", "-e", program, data_dir], {
          cwd: fileURLToPath(new URL("../..", import.meta.url)),
        });
        return text(child.stdout);
      }),
    );
    const folders = outputs.join("").trim().split("\n");
    expect(folders.length).toBe(60);
    expect(new Set(folders).size).toBe(60);
    expect((await readdir(join(data_dir, "wf"))).length).toBe(60);
  });

  it("says so when data_dir cannot be written to", async () => {
    const base = await tempFolder();
    await writeFile(join(base, "file"), "");
    const plane = createFilePlane({ data_dir: join(base, "file") });
    await expect(plane.createTaskFolder("wf", "task")).rejects.toMatchObject({
      code: "internal",
      message: expect.stringMatching(
        /^Could not create a folder for the task in .*check that data_dir can be written to$/,
      ),
    });
  });
});

describe("removeTaskFolder", () => {
  it("removes the folder, and the workflow's with the last one", async () => {
    const data_dir = await tempFolder();
    const plane = createFilePlane({ data_dir });
    const [one, two] = [await plane.createTaskFolder("wf", "a"), await plane.createTaskFolder("wf", "b")];
    await plane.store("x", { folder: one, format: "json" });
    await plane.removeTaskFolder(one);
    expect(await readdir(join(data_dir, "wf"))).toEqual(["b"]);
    await plane.removeTaskFolder(two);
    await plane.removeTaskFolder(two);
    expect(await readdir(data_dir)).toEqual([]);
  });

  it("meets no folder that is just being created", async () => {
    const plane = createFilePlane({ data_dir: await tempFolder() });
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        for (let round = 0; round < 100; round++) {
          await plane.removeTaskFolder(await plane.createTaskFolder("wf", "task"));
        }
      }),
    );
  });

  it("removes nothing else", async () => {
    const base = await tempFolder();
    const data_dir = join(base, "data");
    const plane = createFilePlane({ data_dir });
    const folder = await plane.createTaskFolder("wf", "task");
    await mkdir(join(base, "outside", "task"), { recursive: true });
    await symlink(join(base, "outside"), join(data_dir, "linked"));
    for (const other of [
      data_dir,
      base,
      dirname(folder),
      join(folder, "below"),
      join(base, "outside", "task"),
      `${data_dir}/../outside/task`,
      join(data_dir, "linked", "task"),
    ]) {
      await expect(plane.removeTaskFolder(other), other).rejects.toThrow(TypeError);
    }
    expect(await readdir(join(base, "outside"))).toEqual(["task"]);
    expect(await readdir(dirname(folder))).toEqual(["task"]);
  });

  it("knows its folder by the real path too", async () => {
    const base = await tempFolder();
    await mkdir(join(base, "real"));
    await symlink(join(base, "real"), join(base, "data"));
    const plane = createFilePlane({ data_dir: join(base, "data") });
    for (const shown of ["data", "real"]) {
      await plane.createTaskFolder("wf", "task");
      await plane.removeTaskFolder(join(base, shown, "wf", "task"));
      expect(await readdir(join(base, "real"))).toEqual([]);
    }
  });
});

describe("the size of a folder", () => {
  it("is that of all files in it, without what links lead to", async () => {
    const base = await tempFolder();
    const plane = createFilePlane({ data_dir: join(base, "data") });
    const folder = await plane.createTaskFolder("wf", "task");
    expect(await plane.folderSize(folder)).toBe(0);
    await mkdir(join(folder, "deep", "deeper"), { recursive: true });
    await writeFile(join(folder, "a"), "x".repeat(10));
    await writeFile(join(folder, ".b.part"), "x".repeat(200));
    await writeFile(join(folder, "deep", "deeper", "c"), "x".repeat(3000));
    await writeFile(join(base, "outside"), "x".repeat(40_000));
    await symlink(join(base, "outside"), join(folder, "link"));
    await symlink(base, join(folder, "loop"));
    expect(await plane.folderSize(folder)).toBe(3210);
    await plane.removeTaskFolder(folder);
    expect(await plane.folderSize(folder)).toBe(0);
  });
});

describe("the number of task folders", () => {
  it("counts the folders below the workflows' and nothing else, up to a limit", async () => {
    const base = await tempFolder();
    const data_dir = join(base, "data");
    const plane = createFilePlane({ data_dir });
    expect(await plane.countTaskFolders(100)).toBe(0);
    for (const task of ["a", "a", "b"]) await plane.createTaskFolder("wf", task);
    await mkdir(join(await plane.createTaskFolder("wf-2", "a"), "below"));
    await writeFile(join(data_dir, "file"), "");
    await writeFile(join(data_dir, "wf", "file"), "");
    expect(await plane.countTaskFolders(100)).toBe(4);
    expect(await plane.countTaskFolders(2)).toBe(2);
  });
});
