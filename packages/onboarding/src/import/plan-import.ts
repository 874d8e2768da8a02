import type * as z from "zod";
import { folderSchema } from "../model/connections.ts";
import { blueprintSchema, dockerInfoSchema } from "../model/documents.ts";
import { type Problem, ProblemsError, sortProblems } from "../problems/problem.ts";
import { type JsonDocument, parseJson, toProblems } from "../read/json-file.ts";
import type { PackageFiles } from "./read-package.ts";

/** Texts by path, of a use case that is about to be written. */
export type UseCaseFiles = ReadonlyMap<string, string>;

/**
 * A portal package as a use case: connections.json, and a folder per node with its proto. Exported
 * again it gives the same blueprint, apart from pipeline_id, creation_date and image names, which
 * come from the use case's folder; and from container names that do not end in 1.
 *
 * @throws ProblemsError with everything that is wrong with the package
 */
export function planImport(files: PackageFiles): UseCaseFiles {
  const problems: Problem[] = [];
  const blueprint = readDocument(files, "blueprint.json", blueprintSchema, problems);
  const dockerinfo = readDocument(files, "dockerinfo.json", dockerInfoSchema, problems);
  if (blueprint === undefined || dockerinfo === undefined) throw new ProblemsError(sortProblems(problems));
  const addresses = new Map(dockerinfo.value.docker_info_list.map((one) => [one.container_name, one]));
  const folders = new Map<string, string>();
  const planned = new Map<string, string>();
  const mapping: Record<string, { ip_address: string; port: number }> = {};
  for (const [index, node] of blueprint.value.nodes.entries()) {
    const { container_name, proto_uri } = node;
    const at = (field: string) => blueprint.document.lineOf(["nodes", index, field]);
    const folder = container_name.replace(/1$/, "");
    if (!folderSchema.safeParse(folder).success) {
      problems.push(
        problem(
          "name",
          "blueprint.json",
          at("container_name"),
          `Expected a container_name of letters, digits, _ and -, found "${container_name}"`,
          "Rename the container",
        ),
      );
      continue;
    }
    if ([...folders.values()].includes(folder)) {
      problems.push(
        problem(
          "name-clash",
          "blueprint.json",
          at("container_name"),
          `Expected every node to have a folder of its own, found two for services/${folder}`,
          "Rename one of the containers",
        ),
      );
      continue;
    }
    folders.set(container_name, folder);
    const address = addresses.get(container_name);
    if (address === undefined) {
      problems.push(
        problem(
          "unknown-service",
          "dockerinfo.json",
          undefined,
          `Expected docker_info_list to have ${container_name}, found ${[...addresses.keys()].join(", ") || "none"}`,
          "Add the container with its ip_address and port",
        ),
      );
    } else mapping[folder] = { ip_address: address.ip_address, port: Number(address.port) };
    const bytes = files.get(proto_uri) ?? files.get(`microservice/${container_name}.proto`);
    if (bytes === undefined) {
      problems.push(
        problem(
          "unreadable",
          "blueprint.json",
          at("proto_uri"),
          `Expected the package to have ${proto_uri}, found none`,
          "Add the proto to the package",
        ),
      );
      continue;
    }
    planned.set(`services/${folder}/proto/${folder}.proto`, new TextDecoder().decode(bytes));
  }
  const connections = blueprint.value.nodes.flatMap((node, n) =>
    node.operation_signature_list.flatMap(({ connected_to, operation_signature }, s) =>
      connected_to.flatMap((next, c) => {
        const from_service = folders.get(node.container_name);
        const to_service = folders.get(next.container_name);
        if (from_service === undefined) return [];
        if (to_service === undefined) {
          const line = blueprint.document.lineOf([
            "nodes",
            n,
            "operation_signature_list",
            s,
            "connected_to",
            c,
          ]);
          problems.push(
            problem(
              "unknown-service",
              "blueprint.json",
              line,
              `Expected connected_to to name a node, found ${next.container_name}`,
              "Correct the container_name",
            ),
          );
          return [];
        }
        return [
          {
            from_service,
            from_method: operation_signature.operation_name,
            to_service,
            to_method: next.operation_signature.operation_name,
          },
        ];
      }),
    ),
  );
  if (problems.length > 0) throw new ProblemsError(sortProblems(problems));
  const service_mapping = Object.fromEntries(
    Object.entries(mapping).sort(([one], [other]) => (one < other ? -1 : 1)),
  );
  const pipeline = { name: blueprint.value.name, description: "", service_mapping, connections };
  return new Map([["connections.json", `${JSON.stringify({ pipeline }, null, 2)}\n`], ...planned]);
}

function readDocument<T>(
  files: PackageFiles,
  file: string,
  schema: z.ZodType<T>,
  problems: Problem[],
): { value: T; document: JsonDocument } | undefined {
  const bytes = files.get(file);
  if (bytes === undefined) {
    problems.push(
      problem(
        "unreadable",
        file,
        undefined,
        "Expected the package to have it, found none",
        "Give the ZIP or folder that an export wrote",
      ),
    );
    return undefined;
  }
  const document = parseJson(new TextDecoder().decode(bytes), file, problems);
  if (document === undefined) return undefined;
  const parsed = schema.safeParse(document.value);
  if (parsed.success) return { value: parsed.data, document };
  problems.push(
    ...toProblems(parsed.error, document, file, "Export the pipeline again, or correct the document"),
  );
  return undefined;
}

function problem(
  code: Problem["code"],
  file: string,
  line: number | undefined,
  message: string,
  fix: string,
): Problem {
  return { code, severity: "error", file, line, message, fix };
}
