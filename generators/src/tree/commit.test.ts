import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ScaffoldError } from "../errors.ts";
import { readFolder } from "../testing/read-folder.ts";
import { commitTree, type DiskSteps } from "./commit.ts";
import { toSafePath } from "./jail.ts";
import { toDiff } from "./show-changes.ts";
import { createTree } from "./tree.ts";

/** The real disk, but its nth step fails. */
function failingAt(nth: number): DiskSteps & { count(): number } {
  let steps = 0;
  const step = () => {
    if (steps++ === nth) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  };
  return {
    rename(from, to) {
      step();
      renameSync(from, to);
    },
    write(path, content) {
      step();
      writeFileSync(path, content, { flag: "wx" });
    },
    count: () => steps,
  };
}

describe.each(["new", "there"])("committing into a folder that is %s", (kind) => {
  async function prepare() {
    const parent = await tempFolder();
    const root = join(parent, "a", "target");
    if (kind === "there") {
      mkdirSync(join(root, "src"), { recursive: true });
      writeFileSync(join(root, "src/old.ts"), "old\n");
      writeFileSync(join(root, "gone.ts"), "gone\n");
    }
    const tree = createTree(root);
    tree.write("src/old.ts", "new\n");
    tree.write("deep/er/file.ts", "file\n");
    tree.write("run.sh", "#!/bin/sh\n", { executable: true });
    tree.remove("gone.ts");
    return { parent, root, tree };
  }

  it("leaves every byte as it was, whichever step fails", async () => {
    const counted = failingAt(-1);
    commitTree((await prepare()).tree, counted);
    expect(counted.count()).toBeGreaterThan(3);
    for (let nth = 0; nth < counted.count(); nth++) {
      const { parent, tree } = await prepare();
      const before = readFolder(parent);
      expect(() => commitTree(tree, failingAt(nth))).toThrow(
        expect.objectContaining({ code: "AE1501", state: "everything is as it was" }),
      );
      expect(readFolder(parent)).toEqual(before);
    }
  });

  it("writes what was planned, and nothing the second time", async () => {
    const { root, tree } = await prepare();
    commitTree(tree);
    expect(Object.keys(readFolder(root))).toEqual([
      "deep/",
      "deep/er/",
      "deep/er/file.ts",
      "run.sh",
      "src/",
      "src/old.ts",
    ]);
    expect(tree.changes()).toEqual([]);
    expect(commitTree(tree)).toEqual([]);
  });
});

describe("committing", () => {
  it("refuses a file that has changed since it was planned", async () => {
    const root = await tempFolder();
    writeFileSync(join(root, "a.ts"), "one\n");
    const tree = createTree(root);
    tree.write("b.ts", "b\n");
    tree.write("a.ts", "two\n");
    const steps = failingAt(-1);
    const { write } = steps;
    steps.write = (path, content, executable) => {
      writeFileSync(join(root, "a.ts"), "somebody else's\n");
      write(path, content, executable);
    };
    expect(() => commitTree(tree, steps)).toThrow(expect.objectContaining({ code: "AE1302" }));
    expect(Object.keys(readFolder(root))).toEqual(["a.ts"]);
  });

  it("follows no link out of the target", async () => {
    const [root, outside] = [await tempFolder(), await tempFolder()];
    symlinkSync(outside, join(root, "src"));
    const tree = createTree(root);
    tree.write("src/a.ts", "a\n");
    expect(() => commitTree(tree)).toThrow(expect.objectContaining({ code: "AE1205" }));
    expect(readFolder(outside)).toEqual({});
  });

  it("tells its changes as git does", async () => {
    const root = await tempFolder();
    writeFileSync(join(root, "a.ts"), "one\ntwo\n");
    const tree = createTree(root);
    tree.write("a.ts", "one\n2\n");
    tree.write("b.bin", Buffer.from([0, 1, 2]));
    expect(toDiff(tree.changes())).toBe(`diff --git a/a.ts b/a.ts
--- a/a.ts
+++ b/a.ts
@@ -1,2 +1,2 @@
 one
-two
+2
diff --git a/b.bin b/b.bin
Binary files /dev/null and b/b.bin differ
`);
  });
});

describe("the path jail", () => {
  it.each([
    "../x",
    "a/../../x",
    "/etc/x",
    "C:x",
    "a\\b",
    "CON",
    "a/nul.txt",
    "a\0b",
    "x.",
    "",
    "a//b",
    ".git/hooks/x",
  ])("refuses %j", (path) => {
    expect(() => toSafePath(path)).toThrow(ScaffoldError);
  });

  it("lets nothing out, whatever it is given", () => {
    const part = fc.oneof(fc.constantFrom("..", ".", "a", "", "CON", "..."), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const path = parts.join("/");
        try {
          toSafePath(path);
        } catch (error) {
          expect(error).toBeInstanceOf(ScaffoldError);
          return;
        }
        expect(join("/jail", path).startsWith("/jail/")).toBe(true);
      }),
    );
  });
});
