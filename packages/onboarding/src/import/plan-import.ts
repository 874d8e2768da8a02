import { checkExport } from "../check/check-export.ts";
import { folderSchema } from "../model/connections.ts";
import { toContainer } from "../plan/names.ts";
import { type Problem, ProblemsError, sortProblems } from "../problems/problem.ts";
import type { ReadExport } from "../read/read-export.ts";

/** Texts by path, of a use case that is about to be written. */
export type UseCaseFiles = ReadonlyMap<string, string>;

/**
 * A portal package as a use case: connections.json, and a folder per node with its proto. Exported
 * again it gives the same blueprint, apart from its name, its pipeline_id and the names of images,
 * which come from the use case's folder, and from containers whose name does not end in 1.
 *
 * @throws ProblemsError with everything that is wrong with the package
 */
export function planImport(read: ReadExport): UseCaseFiles {
  const errors = checkExport(read).filter(
    ({ severity, code }) => severity === "error" && code !== "message-mismatch",
  );
  const { blueprint, dockerinfo, protos, lineOf } = read;
  if (blueprint === undefined || dockerinfo === undefined || errors.length > 0)
    throw new ProblemsError(errors);
  const problems: Problem[] = [];
  const folders = new Map<string, string>();
  for (const [index, { container_name }] of blueprint.nodes.entries()) {
    const folder = container_name.replace(/1$/, "");
    const refuse = (code: Problem["code"], message: string, fix: string) => {
      const line = lineOf("blueprint.json", ["nodes", index, "container_name"]);
      problems.push({ code, severity: "error", file: "blueprint.json", line, message, fix });
    };
    if (!folderSchema.safeParse(folder).success) {
      refuse(
        "name",
        `Expected a container_name of letters, digits, _ and -, found "${container_name}"`,
        "Rename the container",
      );
    }
    // Many disks take names for the same that differ in case.
    if ([...folders.values()].some((other) => other.toLowerCase() === folder.toLowerCase())) {
      refuse(
        "name-clash",
        `Expected every node to have a folder of its own, found two for services/${folder}`,
        "Rename one of the containers",
      );
    }
    folders.set(container_name, folder);
  }
  if (problems.length > 0) throw new ProblemsError(sortProblems(problems));

  const folderOf = (container: string) => folders.get(container) as string;
  const files = new Map<string, string>();
  const places = createPlaces();
  for (const node of blueprint.nodes) {
    const { container_name, proto_uri } = node;
    const proto = protos.get(proto_uri ?? `microservice/${container_name}.proto`);
    if (proto === undefined) continue;
    files.set(`services/${folderOf(container_name)}/proto/${folderOf(container_name)}.proto`, proto.text);
    for (const [path, text] of proto.imported) {
      // Beside the node's own they would be a second proto of it.
      const file = `proto/${path}`;
      const other = places.taken(file);
      const line = lineOf("blueprint.json", ["nodes", blueprint.nodes.indexOf(node), "proto_uri"]);
      const isFree = other === undefined || (other === file && files.get(file) === text);
      if (isInside(path) && isFree) {
        files.set(file, text);
        places.take(file);
      } else
        problems.push({
          code: "import",
          severity: "error",
          file: "blueprint.json",
          line,
          message: `Expected imports that can lie together in proto/, found "${path}" of ${container_name}${other === undefined ? "" : `, which is in the way of ${other === file ? "another one for another node" : other}`}`,
          fix: "Give the import another path, or declare its messages in the proto itself",
        });
    }
  }
  if (problems.length > 0) throw new ProblemsError(sortProblems(problems));
  const addresses = dockerinfo.docker_info_list
    .filter(({ container_name }) => folders.has(container_name))
    .map(
      ({ container_name, ip_address, port }) =>
        [folderOf(container_name), { ip_address, port: Number(port) }] as const,
    )
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const connections = blueprint.nodes.flatMap(({ container_name, operation_signature_list }) =>
    operation_signature_list.flatMap(({ connected_to, operation_signature }) =>
      connected_to.map((next) => ({
        from_service: folderOf(container_name),
        from_method: operation_signature.operation_name,
        to_service: folderOf(next.container_name),
        to_method: next.operation_signature.operation_name,
      })),
    ),
  );
  const { name, creation_date } = blueprint;
  const pipeline = {
    name,
    description: "",
    ...(creation_date !== undefined && { creation_date }),
    service_mapping: Object.fromEntries(addresses),
    connections,
  };
  files.set("connections.json", `${JSON.stringify({ pipeline }, undefined, 2)}\n`);
  return files;
}

/** Whether exporting the imported use case gives containers of the same names. */
export function keepsNames({ blueprint }: ReadExport): boolean {
  return (blueprint?.nodes ?? []).every(
    ({ container_name }) => toContainer(container_name.replace(/1$/, "")) === container_name,
  );
}

/** Remembers which files lie where: on many disks case makes no difference, and on none has a file others in it. */
function createPlaces() {
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  const foldersOf = (path: string) => {
    const parts = path.toLowerCase().split("/");
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
  };
  return {
    take(path: string): void {
      files.set(path.toLowerCase(), path);
      for (const folder of foldersOf(path)) folders.set(folder, path);
    },
    /** The file that is in the way of another one, itself included. */
    taken(path: string): string | undefined {
      const own = path.toLowerCase();
      return [own, ...foldersOf(path)].map((place) => files.get(place)).find(Boolean) ?? folders.get(own);
    },
  };
}

function isInside(path: string): boolean {
  return !path.startsWith("/") && !path.split(/[\\/]/).includes("..") && !/^[A-Za-z]:/.test(path);
}
