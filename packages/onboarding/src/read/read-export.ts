import { readdir, readFile } from "node:fs/promises";
import { join, posix, resolve } from "node:path";
import type * as z from "zod";
import { lenientBlueprintSchema, type ReadBlueprint } from "../model/blueprint.ts";
import { lenientDockerinfoSchema } from "../model/dockerinfo.ts";
import type { DockerInfo } from "../plan/export-plan.ts";
import { type Problem, sortProblems } from "../problems/problem.ts";
import { parseProto } from "../proto/parse-proto.ts";
import type { Proto } from "../proto/proto.ts";
import { type JsonDocument, parseJson, toProblems } from "./json-file.ts";

/** An export, and everything that is wrong with its files one by one. */
export interface ReadExport {
  /** Undefined where it cannot be read. */
  blueprint: ReadBlueprint | undefined;
  dockerinfo: DockerInfo | undefined;
  /** By the proto_uri of nodes; without those that are missing or no protos. */
  protos: ReadonlyMap<string, Proto>;
  /** Lines of blueprint.json and dockerinfo.json. */
  lineOf(file: "blueprint.json" | "dockerinfo.json", path: readonly (string | number)[]): number | undefined;
  problems: readonly Problem[];
}

/** More or larger files than any export has are left alone. */
const most = { files: 20_000, depth: 8 };

/** Reads the export in a folder; never throws because of what its files hold. */
export async function readExport(folder: string): Promise<ReadExport> {
  return readExportFiles(await readFiles(resolve(folder)));
}

/** Reads an export from its files: texts by path with `/`, as a folder or an archive has them. Pure. */
export function readExportFiles(files: ReadonlyMap<string, string>): ReadExport {
  const problems: Problem[] = [];
  const [blueprint, inBlueprint] = parse(files, "blueprint.json", lenientBlueprintSchema, problems);
  const [dockerinfo, inDockerinfo] = parse(files, "dockerinfo.json", lenientDockerinfoSchema, problems);
  const documents = { "blueprint.json": inBlueprint, "dockerinfo.json": inDockerinfo };
  const protos = new Map<string, Proto>();
  for (const [index, { proto_uri, container_name }] of (blueprint?.nodes ?? []).entries()) {
    if (proto_uri === undefined || protos.has(proto_uri)) continue;
    const text = files.get(proto_uri);
    if (text === undefined) {
      problems.push({
        code: "unreadable",
        severity: "error",
        file: "blueprint.json",
        line: inBlueprint?.lineOf(["nodes", index, "proto_uri"]),
        message: `Expected the proto of ${container_name} in the export, found no ${proto_uri}`,
        fix: "Put the file there, or correct proto_uri",
      });
      continue;
    }
    const around = posix.dirname(proto_uri);
    const readImport = (path: string) =>
      [around, ".", "microservice"]
        .map((base) => files.get(posix.join(base, path)))
        .find((one) => one !== undefined);
    const { proto, problems: found } = parseProto(text, { file: proto_uri, readImport });
    problems.push(...found);
    if (proto !== undefined) protos.set(proto_uri, proto);
  }
  for (const [index, { port }] of (dockerinfo?.docker_info_list ?? []).entries()) {
    if (typeof port === "string") continue;
    problems.push({
      code: "field",
      severity: "warning",
      file: "dockerinfo.json",
      line: inDockerinfo?.lineOf(["docker_info_list", index, "port"]),
      message: `Expected the port as a text, found the number ${port}`,
      fix: `Write "${port}"`,
    });
  }
  return {
    blueprint,
    dockerinfo: dockerinfo && {
      docker_info_list: dockerinfo.docker_info_list.map((one) => ({ ...one, port: String(one.port) })),
    },
    protos,
    lineOf: (file, path) => documents[file]?.lineOf(path),
    problems: sortProblems(problems),
  };
}

function parse<T>(
  files: ReadonlyMap<string, string>,
  file: string,
  schema: z.ZodType<T>,
  problems: Problem[],
): [T | undefined, JsonDocument | undefined] {
  const text = files.get(file);
  if (text === undefined) {
    problems.push({
      code: "unreadable",
      severity: "error",
      file,
      line: undefined,
      message: `Expected an export to have ${file}, found none`,
      fix: "Give the folder that has it, or export the use case again",
    });
    return [undefined, undefined];
  }
  const document = parseJson(text, file, problems);
  if (document === undefined) return [undefined, undefined];
  const parsed = schema.safeParse(document.value);
  if (parsed.success) return [parsed.data, document];
  const fix = `See ${file.replace(".json", ".schema.json")}, or export the use case again`;
  problems.push(...toProblems(parsed.error, document, file, fix));
  return [undefined, document];
}

/** JSON files of the folder itself, and protos wherever they lie in it. */
async function readFiles(root: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const read = async (path: string) => {
    const text = await readFile(join(root, path), "utf8").catch(() => undefined);
    if (text !== undefined && files.size < most.files) files.set(path, text);
  };
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory() && depth < most.depth && entry.name !== "node_modules")
        await walk(path, depth + 1);
      else if (entry.isFile() && (path.endsWith(".proto") || (depth === 0 && path.endsWith(".json"))))
        await read(path);
    }
  };
  await walk(".", 0);
  return files;
}
