import { type Dirent, existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve, sep } from "node:path";
import { type ConnectionsFile, connectionsSchema, folderSchema } from "../model/connections.ts";
import type { Connection, UseCase, UseCaseService } from "../model/use-case.ts";
import { type Problem, sortProblems, toLine } from "../problems/problem.ts";
import { parseProto } from "../proto/parse-proto.ts";
import type { Rpc } from "../proto/proto.ts";
import { type JsonDocument, readJsonFile, toProblems } from "./json-file.ts";
import { readPublished } from "./published-ports.ts";

/** A use case, and everything that is wrong with it. */
export interface ReadUseCase {
  /** As much as could be read; undefined where connections.json could not. */
  use_case: UseCase | undefined;
  problems: readonly Problem[];
}

/** The control port of services whose use case is of the oldest form. */
const defaultPort = 8080;

/** Reads `connections.json` and `services/<node>/proto/*.proto` of a folder; never throws because of what they hold. */
export async function readUseCase(folder: string): Promise<ReadUseCase> {
  const root = resolve(folder);
  const problems: Problem[] = [];
  if (!existsSync(root)) {
    const message = `Expected the folder of a use case, found nothing at ${folder}`;
    const fix = "Give the folder that has connections.json";
    problems.push({
      code: "unreadable",
      severity: "error",
      file: "connections.json",
      line: undefined,
      message,
      fix,
    });
    return { use_case: undefined, problems };
  }
  const document = await readJsonFile(join(root, "connections.json"), "connections.json", problems);
  if (document === undefined) return { use_case: undefined, problems };
  const parsed = connectionsSchema.safeParse(document.value);
  if (!parsed.success) {
    const fix = "See connections.schema.json, or an existing use case";
    problems.push(...toProblems(parsed.error, document, "connections.json", fix));
    return { use_case: undefined, problems: sortProblems(problems) };
  }
  const candidates = await readServices(root, parsed.data, document, problems);
  const { name, description, start_service, creation_date } = parsed.data.pipeline;
  const start_line = document.lineOf(["pipeline", "start_service"]);
  const start =
    start_service === undefined
      ? undefined
      : findService(start_service, candidates, start_line, problems)?.folder;
  const use_case: UseCase = {
    name: basename(root),
    folder: root,
    pipeline: { name, description, start_service: start, start_line, creation_date },
    services: candidates.flatMap(({ service }) => service ?? []),
    ...resolveConnections(parsed.data, document, candidates, problems),
    published: await readPublished(root),
  };
  return { use_case, problems: sortProblems(problems) };
}

/** What a name can mean: a folder or a mapping; with the service where nothing is wrong with it. */
interface Candidate {
  folder: string;
  ip_address: string | undefined;
  service: UseCaseService | undefined;
}

async function readServices(
  root: string,
  { pipeline }: ConnectionsFile,
  document: JsonDocument,
  problems: Problem[],
): Promise<Candidate[]> {
  const folders = await listFolders(join(root, "services"));
  const mapping = pipeline.service_mapping;
  const at = (name: string) => document.lineOf(["pipeline", "service_mapping", name]);
  for (const name of Object.keys(mapping ?? {})) {
    if (folders.includes(name)) continue;
    problems.push({
      code: "missing-folder",
      severity: "error",
      file: "connections.json",
      line: at(name),
      message: `Expected a folder services/${name} for the mapping "${name}", found ${listed(folders)}`,
      fix: "Create the folder with its proto, or correct the name of the mapping",
    });
  }
  const services = folders.map((name): Candidate => {
    // A folder may be called as a member that every object has: constructor, say.
    const known = mapping !== undefined && Object.hasOwn(mapping, name) ? mapping[name] : undefined;
    const mapped = mapping === undefined ? { ip_address: name, port: defaultPort } : known;
    if (mapped === undefined) {
      problems.push({
        code: "unmapped-folder",
        severity: "error",
        file: "connections.json",
        line: at(""),
        message: `Expected service_mapping to have the folder services/${name}, found ${listed(Object.keys(mapping ?? {}))}`,
        fix: `Add "${name}": {"ip_address": "${name.replaceAll("_", "-")}", "port": ${defaultPort}}, or remove the folder`,
      });
    }
    const named = folderSchema.safeParse(name);
    if (!named.success) {
      problems.push({
        code: "name",
        severity: "error",
        file: `services/${name}`,
        line: undefined,
        message: `Expected a folder name of letters, digits, _ and -, found "${name}"`,
        fix: "Rename the folder; it becomes the name of the container",
      });
    }
    const read = readProtoOf(root, name, problems);
    const candidate = { folder: name, ip_address: mapped?.ip_address, service: undefined };
    if (mapped === undefined || read === undefined || !named.success) return candidate;
    const dockerfile = `services/${name}/Dockerfile`;
    const hasDockerfile = existsSync(join(root, dockerfile));
    const service = {
      folder: name,
      ...mapped,
      ...read,
      dockerfile: hasDockerfile ? dockerfile : undefined,
    };
    return { ...candidate, service };
  });
  const unfound = Object.entries(mapping ?? {}).filter(([name]) => !folders.includes(name));
  return [
    ...services,
    ...unfound.map(([folder, { ip_address }]) => ({ folder, ip_address, service: undefined })),
  ];
}

/** Not awaited: for a thousand small files that takes longer than reading them. */
function readProtoOf(root: string, name: string, problems: Problem[]) {
  const folder = `services/${name}/proto`;
  const isFolder = existsSync(join(root, folder)) && statSync(join(root, folder)).isDirectory();
  const files = (isFolder ? readdirSync(join(root, folder)) : [])
    .filter((file) => file.endsWith(".proto"))
    .sort();
  const [file] = files;
  if (file === undefined || files.length > 1) {
    problems.push({
      code: "proto-count",
      severity: "error",
      file: folder,
      line: undefined,
      message: `Expected exactly one proto, found ${listed(files)}`,
      fix:
        file === undefined
          ? `Write ${folder}/${name}.proto`
          : "Keep one; what it imports goes into a folder of its own",
    });
    return undefined;
  }
  const proto_file = `${folder}/${file}`;
  const text = readText(root, join(root, proto_file));
  if (text === undefined) {
    problems.push({
      code: "unreadable",
      severity: "error",
      file: proto_file,
      line: undefined,
      message: "Expected a file in the use case that can be read, found none, or a link that leads out of it",
      fix: "Correct its permissions, or put the file there instead of the link",
    });
    return undefined;
  }
  const imports = new Map<string, string>();
  const { proto, problems: found } = parseProto(text, {
    file: proto_file,
    readImport(path) {
      const imported = readImport(root, folder, path);
      if (imported !== undefined) imports.set(path, imported.file);
      return imported?.text;
    },
  });
  for (const problem of found) {
    const one = { ...problem, file: imports.get(problem.file) ?? problem.file };
    // What is wrong with a file that several import is told once.
    const isTold = imports.has(problem.file) && problems.some((other) => toLine(other) === toLine(one));
    if (!isTold) problems.push(one);
  }
  return proto === undefined ? undefined : { proto_file, proto };
}

/** Beside the proto, in its folder's parents within the use case, or in a folder `proto` or `protos` at its root. */
function readImport(root: string, folder: string, path: string): { text: string; file: string } | undefined {
  const bases = [folder, join(folder, ".."), "services", ".", "proto", "protos"];
  for (const base of bases) {
    const file = resolve(root, base, path);
    const inside = relative(root, file);
    if (inside.startsWith("..") || isAbsolute(inside)) continue;
    const text = readText(root, file);
    if (text !== undefined) return { text, file: inside.split(sep).join("/") };
  }
  return undefined;
}

/** The text of a file; undefined for what is none, and for links out of the use case: whose it is did not write that. */
function readText(root: string, file: string): string | undefined {
  try {
    const real = realpathSync.native(file);
    const isOutside = real !== file && !real.startsWith(`${realpathSync.native(root)}${sep}`);
    // What is no file, a pipe say, might never end.
    return isOutside || !statSync(real).isFile() ? undefined : readFileSync(real, "utf8");
  } catch {
    // Whether that is a fault is known to who asks.
    return undefined;
  }
}

function resolveConnections(
  { pipeline }: ConnectionsFile,
  document: JsonDocument,
  candidates: readonly Candidate[],
  problems: Problem[],
): Pick<UseCase, "connections" | "also_connected"> {
  const also_connected = new Set<string>();
  const connections = pipeline.connections.flatMap((connection, index): Connection[] => {
    const ends = (["from", "to"] as const).map((end) => {
      const where = (field: string) => document.lineOf(["pipeline", "connections", index, `${end}_${field}`]);
      const found = findService(connection[`${end}_service`], candidates, where("service"), problems);
      if (found !== undefined) also_connected.add(found.folder);
      // What is wrong with the service has been said already.
      if (found?.service === undefined) return undefined;
      const method = findMethod(connection[`${end}_method`], found.service, where("method"), problems);
      return method === undefined ? undefined : { service: found.folder, method: method.name };
    });
    const [from, to] = ends;
    if (from === undefined || to === undefined) return [];
    return [
      {
        from_service: from.service,
        from_method: from.method,
        to_service: to.service,
        to_method: to.method,
        line: document.lineOf(["pipeline", "connections", index]),
      },
    ];
  });
  return { connections, also_connected };
}

function findService(
  name: string,
  services: readonly Candidate[],
  line: number,
  problems: Problem[],
): Candidate | undefined {
  const byFolder = services.find(({ folder }) => folder === name);
  if (byFolder !== undefined) return byFolder;
  const byAddress = services.filter(({ ip_address }) => ip_address === name);
  if (byAddress.length === 1) return byAddress[0];
  const folders = (byAddress.length > 1 ? byAddress : services).map(({ folder }) => folder);
  problems.push(
    byAddress.length > 1
      ? {
          code: "ambiguous-service",
          severity: "error",
          file: "connections.json",
          line,
          message: `Expected a name that means one service, found "${name}", the address of ${listed(folders)}`,
          fix: "Name the folder instead of the address",
        }
      : {
          code: "unknown-service",
          severity: "error",
          file: "connections.json",
          line,
          message: `Expected a folder below services/ or its ip_address, found "${name}"; there are ${listed(folders)}`,
          fix: suggestion(name, folders) ?? "Correct the name, or add the service",
        },
  );
  return undefined;
}

function findMethod(
  name: string | undefined,
  { proto, proto_file, folder }: UseCaseService,
  line: number,
  problems: Problem[],
): Rpc | undefined {
  const rpcs = proto.services.flatMap((service) => service.rpcs);
  const names = rpcs.map((rpc) => rpc.name);
  if (name === undefined) {
    if (rpcs.length === 1) return rpcs[0];
    problems.push({
      code: "method-needed",
      severity: "error",
      file: "connections.json",
      line,
      message: `Expected the connection to name an RPC of ${folder}, found none; ${proto_file} has ${listed(names)}`,
      fix: "Add from_method or to_method",
    });
    return undefined;
  }
  const found = rpcs.find((rpc) => rpc.name === name);
  if (found === undefined) {
    problems.push({
      code: "unknown-method",
      severity: "error",
      file: "connections.json",
      line,
      message: `Expected an RPC of ${proto_file}, found "${name}"; it has ${listed(names)}`,
      fix: suggestion(name, names) ?? "Correct the name, or add the RPC to the proto",
    });
  }
  return found;
}

/** "Did you mean", for a name that is nearly right. */
function suggestion(name: string, names: readonly string[]): string | undefined {
  const close = names
    .map((one) => ({ one, away: distance(one.toLowerCase(), name.toLowerCase()) }))
    .filter(({ away }) => away <= Math.max(2, name.length / 4))
    .sort((one, other) => one.away - other.away)[0];
  return close === undefined ? undefined : `Write "${close.one}", if that is meant`;
}

/** Edit distance of two short texts. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}

async function listFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const isFolder = (entry: Dirent) =>
    entry.isDirectory() || (entry.isSymbolicLink() && isFolderThere(join(folder, entry.name)));
  return entries
    .filter((entry) => isFolder(entry) && !entry.name.startsWith(".") && entry.name !== "node_modules")
    .map(({ name }) => name)
    .sort();
}

/** A link that leads nowhere is no folder. */
function isFolderThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const shown = names.slice(0, 20).join(", ");
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
