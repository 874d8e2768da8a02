import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tempFolder } from "@aieffect/test-support";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planGenerator } from "../generator.ts";
import { serviceGenerator } from "../service/service-generator.ts";
import { readTemplates } from "../templates/read-templates.ts";
import { readFolder } from "../testing/read-folder.ts";
import { commitTree } from "../tree/commit.ts";
import { addRpc } from "./add-rpc.ts";
import { operationGenerator } from "./operation-generator.ts";

const templates = readTemplates(fileURLToPath(new URL("../../../", import.meta.url)));

/** A generated service in a repository of its own, with a first commit. */
async function generated() {
  const root = join(await tempFolder(), "my-svc");
  commitTree(
    planGenerator(serviceGenerator, { name: "my-svc", style: "sequential" }, { root, templates }).tree,
  );
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
      cwd: root,
      encoding: "utf8",
    });
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "one");
  const add = (name: string) => commitTree(planGenerator(operationGenerator, { name }, { root }).tree);
  return { root, git, add };
}

describe("adding an operation", () => {
  it("writes code, test, sample, rpc and registry; twice is no change", async () => {
    const { root, git, add } = await generated();
    expect(add("DropRows").map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      "create conformance/drop-rows.yaml",
      "update proto/my-svc.proto",
      "update src/gen/registry.ts",
      "create src/operations/drop-rows.test.ts",
      "create src/operations/drop-rows.ts",
    ]);
    expect(readFileSync(join(root, "proto/my-svc.proto"), "utf8")).toContain(
      "  rpc DropRows(DropRowsInput) returns (DropRowsOutput);\n}",
    );
    git("add", "-A");
    git("commit", "-qm", "two");
    expect(add("DropRows")).toEqual([]);
    expect(git("status", "--porcelain")).toBe("");
  });

  it("keeps what its user changed, byte for byte", async () => {
    const { root, add } = await generated();
    add("DropRows");
    const own = [
      "src/operations/drop-rows.ts",
      "README.md",
      "conformance/drop-rows.yaml",
      "proto/my-svc.proto",
    ];
    for (const path of own) appendFileSync(join(root, path), "// mine\n");
    const before = readFolder(root);
    add("DropRows");
    expect(readFolder(root)).toEqual(before);
  });

  it("gives the same tree in any order", async () => {
    const [one, other] = [await generated(), await generated()];
    for (const name of ["Alpha", "Mid", "Zeta"]) one.add(name);
    for (const name of ["Zeta", "Alpha", "Mid"]) other.add(name);
    one.git("add", "-A");
    other.git("add", "-A");
    expect(one.git("write-tree")).toBe(other.git("write-tree"));
  });

  it.each([
    ["Alpha", "Beta"],
    ["Alpha", "Zeta"],
    ["Yota", "Zeta"],
  ])("in two branches merges without a conflict: %s, %s", async (...names) => {
    const { root, git, add } = await generated();
    for (const name of names) {
      git("checkout", "-q", "-b", name, "main");
      add(name);
      git("add", "-A");
      git("commit", "-qm", name);
    }
    git("merge", "-q", "-m", "both", names[0]);
    const registry = readFileSync(join(root, "src/gen/registry.ts"), "utf8");
    expect(registry.match(/^export .*$/gm)?.sort()).toEqual(
      ["alpha", "beta", "clean-load", "yota", "zeta"]
        .filter((file) => file === "clean-load" || names.some((name) => name.toLowerCase() === file))
        .map(
          (file) =>
            `export { ${file === "clean-load" ? "cleanLoad" : file} } from "../operations/${file}.ts";`,
        ),
    );
    const proto = readFileSync(join(root, "proto/my-svc.proto"), "utf8");
    expect(proto.match(/^ {2}rpc (\w+)/gm)?.sort()).toEqual(
      [...names, "CleanLoad"].map((name) => `  rpc ${name}`).sort(),
    );
    expect(proto.match(/^message \w+/gm)).toHaveLength(6);
    // What the merge gave is what the generator would have made of it.
    expect(names.flatMap(add)).toEqual([]);
  });

  it.each([
    ["lower", "AE1201"],
    ["../X", "AE1201"],
    ["Con", "AE1201"],
    [`A${"a".repeat(300)}`, "AE1201"],
    ["Größe", "AE1201"],
    ["CLeanLoad", "none"],
    ["CleanLOAD", "AE1303"],
  ])("%j: %s", async (name, code) => {
    const { add, root } = await generated();
    const before = readFolder(root);
    let found = "none";
    try {
      add(name);
    } catch (error) {
      found = (error as { code: string }).code;
      expect(readFolder(root)).toEqual(before);
    }
    expect(found).toBe(code);
  });

  it("refuses a folder that is no service, and a proto without one", async () => {
    const empty = await tempFolder();
    expect(() => planGenerator(operationGenerator, { name: "Alpha" }, { root: empty })).toThrow(
      expect.objectContaining({ code: "AE1401" }),
    );
    const { root, add } = await generated();
    writeFileSync(join(root, "proto/my-svc.proto"), 'syntax = "proto3";\n// service X { }\n');
    expect(() => add("Alpha")).toThrow(expect.objectContaining({ code: "AE1402" }));
  });
});

describe("an rpc", () => {
  const empty = 'syntax = "proto3";\n\nservice S {\n  rpc M(MInput) returns (MOutput);\n}\n';
  const name = fc.stringMatching(/^[A-Z][A-Za-z0-9]{1,8}$/);

  it("is there once, in any order, whatever else there is", () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 6 }), fc.infiniteStream(fc.nat()), (names, chance) => {
        const add = (all: readonly string[]) =>
          all.reduce((text, one) => addRpc(text, one, "s.proto"), empty);
        const shuffled = names
          .map((one) => ({ one, key: chance.next().value ?? 0 }))
          .sort((left, right) => left.key - right.key)
          .map(({ one }) => one);
        const text = add(names);
        expect(add(shuffled)).toBe(text);
        expect(add([...names, ...shuffled])).toBe(text);
        for (const one of names) expect(text.split(`  rpc ${one}(`)).toHaveLength(2);
      }),
    );
  });

  it("goes into the service although braces stand in comments and options", () => {
    const proto = 'service S { // }\n  rpc A(X) returns (Y) { option (o) = "}"; }\n}\nmessage X {}\n';
    expect(addRpc(proto, "B", "s.proto")).toBe(`service S { // }
  rpc A(X) returns (Y) { option (o) = "}"; }
  rpc B(BInput) returns (BOutput);
}
message BInput { string protocol = 1; string uri = 2; string format = 3; }
message BOutput { string protocol = 1; string uri = 2; string format = 3; }
message X {}
`);
  });
});
