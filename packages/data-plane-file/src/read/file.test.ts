import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { tempFolder } from "@aieffect/test-support";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFilePlane } from "../index.ts";

async function startPlane() {
  const base = await tempFolder();
  const [data_dir, more, secret] = ["data", "more", "secret"].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [data_dir, more, secret]) {
    await mkdir(folder);
    await writeFile(join(folder, "a.json"), folder);
  }
  const plane = createFilePlane({ data_dir, roots: [more] });
  const read = async (uri: string) =>
    String(await buffer(await plane.open({ protocol: "file", uri, format: "json" })));
  return { base, data_dir, more, secret, read };
}

describe("a file inside the roots", () => {
  it("is read by its path, by a relative one, by its URL, and through a link", async () => {
    const { data_dir, more, read } = await startPlane();
    expect(await read(join(data_dir, "a.json"))).toBe(data_dir);
    expect(await read("a.json")).toBe(data_dir);
    expect(await read("../data/./a.json")).toBe(data_dir);
    expect(await read(join(more, "a.json"))).toBe(more);
    await writeFile(join(data_dir, "50% é.json"), "odd");
    expect(await read(String(pathToFileURL(join(data_dir, "50% é.json"))))).toBe("odd");
    expect(await read(join(data_dir, "50% é.json"))).toBe("odd");
    await symlink(more, join(data_dir, "link"));
    expect(await read("link/a.json")).toBe(more);
  });

  it("is found through a root that is itself a link", async () => {
    const { base, data_dir } = await startPlane();
    await symlink(data_dir, join(base, "linked"));
    const plane = createFilePlane({ data_dir: join(base, "linked") });
    for (const uri of [join(base, "linked/a.json"), join(data_dir, "a.json")]) {
      expect(String(await buffer(await plane.open({ protocol: "file", uri, format: "json" })))).toBe(
        data_dir,
      );
    }
  });
});

describe("what is refused", () => {
  it("is anything outside, whatever leads there, and whether it exists or not", async () => {
    const { base, data_dir, more, secret, read } = await startPlane();
    await symlink(secret, join(data_dir, "out"));
    await symlink(join(secret, "a.json"), join(data_dir, "out.json"));
    for (const uri of [
      "../secret/a.json",
      `${data_dir}/../secret/a.json`,
      join(secret, "a.json"),
      "out/a.json",
      "out.json",
      `file://${data_dir}/%2e%2e/secret/a.json`,
      join(secret, "missing"),
      "/etc/passwd",
      `${data_dir}-more/a.json`,
      base,
    ]) {
      await expect(read(uri), uri).rejects.toMatchObject({
        code: "unreadable_reference",
        message: expect.stringMatching(
          new RegExp(
            `^Refused to read .*: files are read from ${data_dir}, ${more} only; put the file there, or add its folder with the option \`roots\` \\(DATA_ROOTS of a service\\)$`,
          ),
        ),
      });
    }
  });

  it("is what is no path", async () => {
    const { data_dir, read } = await startPlane();
    for (const uri of [
      "a\0.json",
      "file:///a%00",
      "file://elsewhere/a.json",
      `file://${data_dir}/..%2fsecret/a.json`,
    ]) {
      await expect(read(uri), uri).rejects.toMatchObject({
        code: "invalid_reference",
        message: expect.stringContaining("R-REF-18"),
      });
    }
  });

  it("is what is missing or no file", async () => {
    const { data_dir, read } = await startPlane();
    await symlink("circle", join(data_dir, "circle"));
    const found: Record<string, string> = {
      "b.json": `Cannot read ${data_dir}/b.json: it does not exist; is the storage mounted here, and was the file kept? (ENOENT)`,
      "%2e%2e/secret/a.json": `Cannot read ${data_dir}/%2e%2e/secret/a.json: it does not exist; is the storage mounted here, and was the file kept? (ENOENT)`,
      "a.json/b": `Cannot read ${data_dir}/a.json/b: a part of its path is a file, not a folder (ENOTDIR)`,
      circle: `Cannot read ${data_dir}/circle: its symbolic links lead in a circle (ELOOP)`,
      ".": `Expected ${data_dir} to be a regular file, found a folder; name the file itself`,
    };
    for (const [uri, message] of Object.entries(found)) {
      await expect(read(uri)).rejects.toMatchObject({ code: "unreadable_reference", message });
    }
  });

  it("is every path that does not end in a file of the roots", async () => {
    const { data_dir, more, read } = await startPlane();
    const step = fc.constantFrom(
      "..",
      ".",
      "",
      "data",
      "more",
      "secret",
      "a.json",
      "%2e%2e",
      "..\\",
      "a.json\0",
      "~",
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 8 }),
        fc.constantFrom("", "/", `${data_dir}/`),
        async (steps, start) => {
          const uri = start + steps.join("/");
          if (uri.trim() === "") return;
          const found = await read(uri).catch((error: Error) => error);
          if (typeof found === "string") expect([data_dir, more]).toContain(found);
          else expect(found).toMatchObject({ name: "ControlError" });
        },
      ),
    );
  });
});
