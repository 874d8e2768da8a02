import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import fc from "fast-check";
import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { planExport } from "../plan/plan-export.ts";
import { ProblemsError } from "../problems/problem.ts";
import { readExportFiles } from "../read/read-export.ts";
import { readUseCase } from "../read/read-use-case.ts";
import { topologies } from "../testing/topologies.ts";
import { type GivenUseCase, row, writeUseCase as writeGiven } from "../testing/write-use-case.ts";
import { toExportFiles, toExportZip } from "../write/export-files.ts";
import { planImport } from "./plan-import.ts";
import { readZip } from "./read-package.ts";
import { writeUseCase } from "./write-use-case.ts";

async function exported(given: GivenUseCase) {
  return planExport(await readUseCase(await writeGiven(given)));
}

/** Imports the ZIP of an export into a folder of the same name, and exports that. */
async function roundTrip(given: GivenUseCase) {
  const first = await exported(given);
  const files = planImport(readExportFiles(readZip(toExportZip(first), "pipeline.zip")));
  const folder = join(await tempFolder(), given.name ?? "wind_park");
  await writeUseCase(files, folder);
  const second = planExport(await readUseCase(folder));
  return { first, second };
}

function problemsOf(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (error instanceof ProblemsError) return error.problems;
    throw error;
  }
  return [];
}

describe("an imported package", () => {
  it("exported again is the same in every byte, in a folder of the same name", async () => {
    await fc.assert(
      fc.asyncProperty(topologies(200), async (topology) => {
        const { first, second } = await roundTrip(topology);
        expect(toExportFiles(second)).toEqual(toExportFiles(first));
      }),
      { numRuns: 3 },
    );
  });

  it("that was imported before is the same in every byte", async () => {
    const { second } = await roundTrip(row);
    const files = planImport(readExportFiles(toExportFiles(second)));
    const folder = join(await tempFolder(), "wind_park");
    await writeUseCase(files, folder);
    expect(toExportFiles(planExport(await readUseCase(folder)))).toEqual(toExportFiles(second));
  });

  it("may be a zipped folder", async () => {
    const files = [...toExportFiles(await exported(row))].map(([path, text]) => [
      `export/${path}`,
      strToU8(text),
    ]);
    const read = readExportFiles(readZip(zipSync(Object.fromEntries(files)), "export.zip"));
    expect([...planImport(read).keys()]).toContain("services/trainer/proto/trainer.proto");
  });

  it("is refused with everything that is wrong with it", async () => {
    const { blueprint, dockerinfo, protos } = await exported(row);
    const broken = structuredClone(blueprint);
    (broken.nodes[0] as { container_name: string }).container_name = "../evil1";
    const problems = problemsOf(() =>
      planImport(
        readExportFiles(
          new Map([
            ["blueprint.json", JSON.stringify(broken)],
            ["dockerinfo.json", JSON.stringify({ docker_info_list: dockerinfo.docker_info_list.slice(1) })],
            ...[...protos].slice(1),
          ]),
        ),
      ),
    );
    expect(problems.length).toBeGreaterThanOrEqual(2);
    expect(problems.every(({ severity }) => severity === "error")).toBe(true);
  });

  it.each(["../evil1", "a/b1", "..1", "C:1"])(
    "never becomes a folder that is called %s",
    async (container_name) => {
      const plan = await exported({ ...row, connections: [] });
      const [node, ...rest] = plan.blueprint.nodes;
      const nodes = [{ ...(node as object), container_name }, ...rest];
      const [address, ...others] = plan.dockerinfo.docker_info_list;
      const files = new Map([
        ...toExportFiles(plan),
        ["blueprint.json", JSON.stringify({ ...plan.blueprint, nodes })],
        [
          "dockerinfo.json",
          JSON.stringify({ docker_info_list: [{ ...address, container_name }, ...others] }),
        ],
      ] as const);
      expect(problemsOf(() => planImport(readExportFiles(files))).map(({ code }) => code)).toContain("name");
    },
  );

  it("keeps its imports, unless they cannot lie together", async () => {
    const plain = toExportFiles(await exported(row));
    const files = new Map(plain);
    const blueprint = plain.get("blueprint.json") ?? "";
    const importing = (node: string, path: string) => {
      const own = plain.get(`microservice/${node}.proto`) ?? "";
      return own.replace(";", `;\nimport "${path}";`);
    };
    files.set("microservice/loader1.proto", importing("loader1", "common.proto"));
    files.set("microservice/common.proto", 'syntax = "proto3"; message One {}');
    expect(planImport(readExportFiles(files)).get("proto/common.proto")).toContain("One");
    files.set("other/trainer1.proto", importing("trainer1", "common.proto"));
    files.set("other/common.proto", 'syntax = "proto3"; message Two {}');
    files.set("blueprint.json", blueprint.replace("microservice/trainer1", "other/trainer1"));
    const messages = () => problemsOf(() => planImport(readExportFiles(files))).map(({ message }) => message);
    expect(messages()).toEqual([
      expect.stringContaining('"common.proto" of trainer1, which is in the way of another one'),
    ]);
    files.set("blueprint.json", blueprint);
    files.set("microservice/loader1.proto", importing("loader1", "../common.proto"));
    files.set("common.proto", 'syntax = "proto3"; message One {}');
    expect(messages()).toEqual([expect.stringContaining('found "../common.proto" of loader1')]);
  });

  it.each([
    ["differ only in case", "x/Base.proto", "x/base.proto"],
    ["lie in each other", "x/base.proto", "x/base.proto/more.proto"],
    ["lie in each other the other way round", "x/base.proto/more.proto", "X/base.proto"],
  ])("has no imports that %s", async (_name, one, other) => {
    const plain = toExportFiles(await exported(row));
    const files = new Map(plain);
    const message = 'syntax = "proto3"; message';
    files.set(`microservice/${one}`, `${message} One {}`).set(`microservice/${other}`, `${message} Two {}`);
    const own = plain.get("microservice/loader1.proto") ?? "";
    files.set("microservice/loader1.proto", own.replace(";", `;\nimport "${one}";\nimport "${other}";`));
    const problems = problemsOf(() => planImport(readExportFiles(files)));
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ["import", expect.stringContaining(`found "${other}" of loader1, which is in the way of proto/${one}`)],
    ]);
  });

  it("has no two nodes whose folders differ only in case", async () => {
    const plan = await exported(row);
    const files = new Map(
      [...toExportFiles(plan)].map(([path, text]) => [
        path,
        path.endsWith(".json") ? text.replaceAll("trainer1", "LOADER1") : text,
      ]),
    );
    files.set("microservice/LOADER1.proto", files.get("microservice/trainer1.proto") ?? "");
    expect(problemsOf(() => planImport(readExportFiles(files))).map(({ code }) => code)).toContain(
      "name-clash",
    );
  });

  it("is no archive that grows, and is one", () => {
    const bomb = zipSync({ "blueprint.json": new Uint8Array(20 * 2 ** 20) });
    expect(problemsOf(() => readZip(bomb, "bomb.zip"))[0]?.message).toContain("20971520 bytes long");
    expect(problemsOf(() => readZip(strToU8("no archive"), "no.zip"))[0]?.code).toBe("unreadable");
  });

  it("has to be whole, open, and of one mind", async () => {
    const files = toExportFiles(await exported(row));
    const zip = (change: (one: Record<string, Uint8Array>) => void = () => {}) => {
      const entries = Object.fromEntries([...files].map(([path, text]) => [path, strToU8(text)]));
      change(entries);
      return Buffer.from(zipSync(entries, { level: 0 }));
    };
    const messageOf = (archive: Buffer) => problemsOf(() => readZip(archive, "x.zip"))[0]?.message;
    const whole = Object.fromEntries(readZip(zip(), "x.zip"));
    expect(whole).toEqual(Object.fromEntries(files));
    const damaged = zip();
    damaged.write("weighty", damaged.indexOf("weights"));
    expect(messageOf(damaged)).toContain("reporter1.proto, which is damaged");
    // The second of two names becomes the first one: the same length, where it stands and in the directory.
    const twice = zip((one) => {
      one["blueprint.jsom"] = strToU8("{}");
    });
    for (let at = twice.indexOf("jsom"); at >= 0; at = twice.indexOf("jsom", at)) twice.write("json", at);
    expect(messageOf(twice)).toContain("blueprint.json twice");
    const locked = zip();
    locked.writeUInt16LE(1, locked.indexOf("PK\x01\x02") + 8);
    expect(messageOf(locked)).toContain("blueprint.json, which is encrypted");
  });

  it("may have been made on Windows", async () => {
    const files = toExportFiles(await exported(row));
    const entries = [...files].map(([path, text]) => [`top\\${path.replaceAll("/", "\\")}`, strToU8(text)]);
    expect(readZip(zipSync(Object.fromEntries(entries)), "x.zip")).toEqual(files);
  });

  it("replaces nothing that is there, and leaves nothing half-written", async () => {
    const files = planImport(readExportFiles(toExportFiles(await exported(row))));
    const parent = await tempFolder();
    const folder = join(parent, "wind_park");
    await writeUseCase(files, folder);
    await expect(writeUseCase(files, folder)).rejects.toThrow(
      "Expected a new folder for the use case, found",
    );
    // A file where a folder has to be.
    const bad = new Map([...files, ["connections.json/impossible", ""]]);
    await expect(writeUseCase(bad, join(parent, "other"))).rejects.toThrow();
    expect(await readdir(parent)).toEqual(["wind_park"]);
  });
});
