import * as z from "zod";
import { hostSchema } from "../model/connections.ts";
import { type Problem, ProblemsError, sortProblems } from "../problems/problem.ts";
import { parseJson, toProblems } from "../read/json-file.ts";
import type { UseCaseFiles } from "./plan-import.ts";

const text = z.string().regex(/\S/, "expected a text that is not empty");

/** The older configuration, in which containers call each other's ContainerExecutor one after another. */
const grpcConfigurationSchema = z.strictObject({
  workflow_name: text,
  start_node: text,
  execution_mode: z.literal("grpc").optional(),
  service_registry: z.record(
    text,
    z
      .string()
      .regex(/^[^:\s]+:\d{1,5}$/, "expected host:port")
      .refine((address) => isPort(address.split(":")[1]), "expected a port from 1 to 65535"),
  ),
  containers: z.record(
    text,
    z.strictObject({
      id: text,
      input_file: text,
      output_file: text,
      next_node: z.string().nullish(),
      timeout_seconds: z.number().positive().optional(),
    }),
  ),
});

/** Where a sidecar in front of such a container answers. */
const controlPort = 8080;

/**
 * An older gRPC configuration as a use case: its chain as connections, and a folder per container
 * for the sidecar that calls its `ContainerExecutor`.
 *
 * @param file how problems call it
 * @throws ProblemsError with everything that is missing, empty or goes in a circle
 */
export function planImportGrpc(document: string, file: string): UseCaseFiles {
  const problems: Problem[] = [];
  const json = parseJson(document, file, problems);
  if (json === undefined) throw new ProblemsError(problems);
  const parsed = grpcConfigurationSchema.safeParse(json.value);
  if (!parsed.success) {
    problems.push(...toProblems(parsed.error, json, file, "Fill the field in; nothing is guessed"));
    throw new ProblemsError(sortProblems(problems));
  }
  const { workflow_name, start_node, containers, service_registry } = parsed.data;
  const add = (code: Problem["code"], path: string[], message: string, fix: string) =>
    problems.push({ code, severity: "error", file, line: json.lineOf(path), message, fix });
  const names = Object.keys(containers);
  const isContainer = (name: string) => Object.hasOwn(containers, name);
  if (!isContainer(start_node)) {
    add(
      "unknown-service",
      ["start_node"],
      `Expected start_node to be one of ${names.join(", ")}, found "${start_node}"`,
      "Correct the name",
    );
  }
  for (const [name, { id, next_node }] of Object.entries(containers)) {
    if (id !== name)
      add(
        "field",
        ["containers", name, "id"],
        `Expected the id to be "${name}", found "${id}"`,
        "Make both the same",
      );
    if (!Object.hasOwn(service_registry, name)) {
      add(
        "unknown-service",
        ["containers", name],
        `Expected service_registry to have "${name}", found none`,
        "Add its host:port",
      );
    }
    if (next_node && !isContainer(next_node)) {
      add(
        "unknown-service",
        ["containers", name, "next_node"],
        `Expected next_node to be one of ${names.join(", ")}, found "${next_node}"`,
        "Correct the name",
      );
    }
    if (!hostSchema.safeParse(name).success || folderOf(name) === "") {
      add(
        "name",
        ["containers", name],
        `Expected a name of letters, digits, _ and -, found "${name}"`,
        "Rename the container",
      );
    }
  }
  const chain: string[] = [];
  for (
    let name: string | null | undefined = start_node;
    name && isContainer(name);
    name = containers[name]?.next_node
  ) {
    if (chain.includes(name)) {
      add(
        "cycle",
        ["containers", chain.at(-1) as string, "next_node"],
        `Expected the chain to end, found it going in a circle: ${[...chain, name].join(" -> ")}`,
        "Take one next_node out",
      );
      break;
    }
    chain.push(name);
  }
  for (const name of names) {
    if (chain.length > 0 && !chain.includes(name) && problems.every(({ code }) => code !== "cycle")) {
      add(
        "unreachable",
        ["containers", name],
        `Expected the chain from ${start_node} to reach "${name}", found ${chain.join(" -> ")}`,
        "Name it as somebody's next_node, or remove it",
      );
    }
  }
  const folders = chain.map(folderOf);
  if (new Set(folders).size < folders.length) {
    add(
      "name-clash",
      ["containers"],
      `Expected names that stay different as folders, found ${folders.join(", ")}`,
      "Rename one of them",
    );
  }
  if (problems.length > 0) throw new ProblemsError(sortProblems(problems));
  const pipeline = {
    name: workflow_name,
    description: "",
    start_service: folders[0],
    service_mapping: Object.fromEntries(
      folders.map((folder) => [
        folder,
        { ip_address: `${folder.replaceAll("_", "-")}-sidecar`, port: controlPort },
      ]),
    ),
    connections: folders.slice(1).map((to_service, index) => ({
      from_service: folders[index],
      from_method: "Execute",
      to_service,
      to_method: "Execute",
    })),
  };
  const files = new Map([["connections.json", `${JSON.stringify({ pipeline }, null, 2)}\n`]]);
  for (const [index, name] of chain.entries()) {
    const folder = folders[index] as string;
    const { input_file, output_file, timeout_seconds } = containers[name] as (typeof containers)[string];
    files.set(`services/${folder}/proto/${folder}.proto`, protoOf(folder));
    files.set(
      `services/${folder}/README.md`,
      `# ${name}\n\nA sidecar that is still to be written: it calls \`ContainerExecutor.Execute\` of ${service_registry[name]}.\n\n| | |\n| --- | --- |\n| input_file | ${input_file} |\n| output_file | ${output_file} |\n| timeout | ${timeout_seconds === undefined ? "none" : `${timeout_seconds} s`} |\n`,
    );
  }
  return files;
}

function isPort(text: string | undefined): boolean {
  return Number(text) >= 1 && Number(text) <= 65_535;
}

function folderOf(name: string): string {
  return name.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
}

/** Every container takes a file and leaves one, so that all of them fit together. */
function protoOf(folder: string): string {
  const service = folder.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `// Describes the sidecar of ${folder} to the portal.
syntax = "proto3";

service ${service.join("")}Service {
  rpc Execute(File) returns (File);
}

// A file on storage that the containers share.
message File {
  string path = 1;
}
`;
}
