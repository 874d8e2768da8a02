import { blueprintSchema, type ReadBlueprint } from "../model/blueprint.ts";
import { isHost } from "../model/connections.ts";
import type { Connection, UseCase, UseCaseService } from "../model/use-case.ts";
import type { PlanOptions } from "../plan/export-plan.ts";
import { resolvePlanOptions } from "../plan/options.ts";
import { messagesMatch } from "../plan/rules/messages-match.ts";
import { noCycle } from "../plan/rules/no-cycle.ts";
import { noDuplicates } from "../plan/rules/no-duplicates.ts";
import { strictProfile } from "../plan/rules/strict-profile.ts";
import { type Problem, sortProblems } from "../problems/problem.ts";
import type { Rpc } from "../proto/proto.ts";
import type { ReadExport } from "../read/read-export.ts";

/**
 * Everything that is wrong with an export, whoever wrote it: what reading it found, what its
 * blueprint, dockerinfo and protos say of each other, and what the rules for use cases say of the
 * pipeline that they are.
 *
 * @throws TypeError for an option that makes no sense
 */
export function checkExport(read: ReadExport, given: Pick<PlanOptions, "profile"> = {}): Problem[] {
  const options = resolvePlanOptions(given);
  const { blueprint, problems } = read;
  if (blueprint === undefined) return [...problems];
  const useCase = toUseCase(blueprint, read);
  const ruled = [messagesMatch, noCycle, noDuplicates, strictProfile].flatMap((rule) =>
    rule(useCase, options),
  );
  return sortProblems([
    ...problems,
    ...whatDeployedOnesMiss(blueprint, read),
    ...distinctNodes(blueprint, read),
    ...connectionsLeadSomewhere(blueprint, read),
    ...nodeTypes(blueprint, read),
    ...everyContainerHasAnAddress(blueprint, read),
    ...protosHaveTheOperations(blueprint, read),
    ...ruled.map((one) => (one.file === "connections.json" ? { ...one, file: "blueprint.json" } : one)),
  ]);
}

type Check = (blueprint: ReadBlueprint, read: ReadExport) => Problem[];
type Path = readonly (string | number)[];

/** An objection to a place in the blueprint. */
function inBlueprint(
  { lineOf }: ReadExport,
  path: Path,
  [code, severity, message, fix]: [Problem["code"], Problem["severity"], string, string],
): Problem {
  return { code, severity, file: "blueprint.json", line: lineOf("blueprint.json", path), message, fix };
}

/** The deployed orchestrator refuses what the reference orchestrator can do without. */
const whatDeployedOnesMiss: Check = (blueprint, read) =>
  (blueprintSchema.safeParse(blueprint).error?.issues ?? []).map(({ path }) => {
    const name = path.join(".");
    return inBlueprint(read, path as Path, [
      "field",
      "error",
      `Expected ${name}, which the deployed orchestrator demands, found none`,
      "Add it, or export the use case again",
    ]);
  });

const distinctNodes: Check = ({ nodes }, read) => {
  const containers = new Set<string>();
  return nodes.flatMap(({ container_name, operation_signature_list }, index) => {
    const problems: Problem[] = [];
    const clash = (path: Path, what: string) =>
      problems.push(
        inBlueprint(read, path, [
          "name-clash",
          "error",
          `Expected ${what} once, found it again`,
          "Remove one of them",
        ]),
      );
    if (containers.has(container_name))
      clash(["nodes", index, "container_name"], `the container ${container_name}`);
    containers.add(container_name);
    const operations = new Set<string>();
    for (const [at, { operation_signature }] of operation_signature_list.entries()) {
      const { operation_name } = operation_signature;
      if (operations.has(operation_name))
        clash(["nodes", index, "operation_signature_list", at], `${container_name}:${operation_name}`);
      operations.add(operation_name);
    }
    return problems;
  });
};

const connectionsLeadSomewhere: Check = ({ nodes }, read) => {
  const operations = new Map<string, Set<string>>();
  const linked = new Set<string>();
  for (const { container_name, operation_signature_list } of nodes) {
    const names = operation_signature_list.map((one) => one.operation_signature.operation_name);
    operations.set(container_name, new Set([...(operations.get(container_name) ?? []), ...names]));
  }
  const problems = [...connectionsOf(nodes)].flatMap(({ from, to, path }) => {
    linked.add(from.container).add(to.container);
    const known = operations.get(to.container);
    if (known?.has(to.operation)) return [];
    return [
      inBlueprint(
        read,
        path,
        known === undefined
          ? [
              "unknown-service",
              "error",
              `Expected ${from.container}:${from.operation} to be connected to a node, found "${to.container}", which is none`,
              "Correct the name, or add the node",
            ]
          : [
              "unknown-method",
              "error",
              `Expected an operation of ${to.container}, found "${to.operation}"; it has ${[...known].join(", ")}`,
              "Correct the name, or add the operation",
            ],
      ),
    ];
  });
  const alone = linked.size === 0 ? [] : nodes.filter(({ container_name }) => !linked.has(container_name));
  return [
    ...problems,
    ...alone.map((node) =>
      inBlueprint(
        read,
        ["nodes", nodes.indexOf(node), "container_name"],
        [
          "unreachable",
          "warning",
          `Expected the pipeline to lead to ${node.container_name}, found no connection to or from it`,
          "Connect it, or remove it; it runs by itself as it is",
        ],
      ),
    ),
  ];
};

const nodeTypes: Check = ({ nodes }, read) => {
  const connections = [...connectionsOf(nodes)];
  const takes = new Set(connections.map(({ to }) => to.container));
  const gives = new Set(connections.map(({ from }) => from.container));
  return nodes.flatMap(({ container_name, node_type }, index) => {
    const type = !takes.has(container_name)
      ? "DataSource"
      : gives.has(container_name)
        ? "MLModel"
        : "DataSink";
    if (node_type === type) return [];
    return [
      inBlueprint(
        read,
        ["nodes", index, "node_type"],
        [
          "field",
          "warning",
          `Expected ${container_name} to be ${type} by its connections, found "${node_type}"`,
          `Write "${type}"`,
        ],
      ),
    ];
  });
};

const everyContainerHasAnAddress: Check = ({ nodes }, { dockerinfo, lineOf }) => {
  if (dockerinfo === undefined) return [];
  const file = "dockerinfo.json";
  const list = dockerinfo.docker_info_list;
  const problem = (path: Path, parts: Pick<Problem, "code" | "severity" | "message" | "fix">): Problem => ({
    file,
    line: lineOf(file, path),
    ...parts,
  });
  const listed = new Set<string>();
  const containers = new Set(nodes.map(({ container_name }) => container_name));
  const problems = list.flatMap(({ container_name, ip_address }, index) => {
    const found: Problem[] = [];
    const at = (field: string): Path => ["docker_info_list", index, field];
    if (listed.has(container_name))
      found.push(
        problem(at("container_name"), {
          code: "name-clash",
          severity: "error",
          message: `Expected ${container_name} once, found it again`,
          fix: "Remove one of the two",
        }),
      );
    listed.add(container_name);
    if (!containers.has(container_name))
      found.push(
        problem(at("container_name"), {
          code: "unknown-service",
          severity: "warning",
          message: `Expected containers of the blueprint, found ${container_name}`,
          fix: "Remove it, or correct the name",
        }),
      );
    if (!isHost(ip_address))
      found.push(
        problem(at("ip_address"), {
          code: "name",
          severity: "error",
          message: `Expected a host name or address without scheme, port or path, found "${ip_address}"`,
          fix: "Write the name alone; the port has a field of its own",
        }),
      );
    return found;
  });
  const missing = [...containers].filter((container) => !listed.has(container));
  return [
    ...problems,
    ...missing.map((container) =>
      problem(["docker_info_list"], {
        code: "unknown-service",
        severity: "error",
        message: `Expected the container ${container} of the blueprint, found it nowhere`,
        fix: "Add it with its ip_address and port",
      }),
    ),
  ];
};

const protosHaveTheOperations: Check = ({ nodes }, read) =>
  nodes.flatMap(({ proto_uri = "", operation_signature_list }, index) => {
    const proto = read.protos.get(proto_uri);
    if (proto === undefined) return [];
    const rpcs = new Map(proto.services.flatMap((one) => one.rpcs).map((rpc) => [rpc.name, rpc]));
    return operation_signature_list.flatMap(({ operation_signature: signature }, at) => {
      const path = ["nodes", index, "operation_signature_list", at, "operation_signature"];
      const rpc = rpcs.get(signature.operation_name);
      if (rpc === undefined) {
        return [
          inBlueprint(
            read,
            [...path, "operation_name"],
            [
              "unknown-method",
              "error",
              `Expected an RPC of ${proto_uri}, found "${signature.operation_name}"; it has ${[...rpcs.keys()].join(", ") || "none"}`,
              "Correct the name, or the proto",
            ],
          ),
        ];
      }
      return differences(signature, rpc).map(([field, found, expected]) =>
        inBlueprint(
          read,
          [...path, field],
          [
            "message-mismatch",
            "error",
            `Expected ${field} to be ${expected}, as in ${proto_uri}:${rpc.line}, found ${found}`,
            "Correct one of the two, or export the use case again",
          ],
        ),
      );
    });
  });

type Signature = ReadBlueprint["nodes"][number]["operation_signature_list"][number]["operation_signature"];

/** What a signature says otherwise than its RPC; what it does not say is no difference. */
function differences(signature: Signature, rpc: Rpc): [string, string, string][] {
  const last = (name: string) => name.split(".").at(-1) ?? name;
  const pairs: [keyof Signature, string | boolean | undefined, string | boolean][] = [
    ["input_message_name", signature.input_message_name || undefined, rpc.input],
    ["output_message_name", signature.output_message_name || undefined, rpc.output],
    ["input_message_stream", signature.input_message_stream, rpc.input_stream],
    ["output_message_stream", signature.output_message_stream, rpc.output_stream],
  ];
  return pairs
    .filter(([, found, expected]) => found !== undefined && last(String(found)) !== last(String(expected)))
    .map(([field, found, expected]) => [field, String(found), String(expected)]);
}

function* connectionsOf(nodes: ReadBlueprint["nodes"]) {
  for (const [index, { container_name, operation_signature_list }] of nodes.entries()) {
    for (const [at, { operation_signature, connected_to }] of operation_signature_list.entries()) {
      const from = { container: container_name, operation: operation_signature.operation_name };
      for (const [number, target] of connected_to.entries()) {
        const { operation_name } = target.operation_signature;
        const path = ["nodes", index, "operation_signature_list", at, "connected_to", number];
        yield { from, to: { container: target.container_name, operation: operation_name }, path };
      }
    }
  }
}

/** The pipeline in the form that the rules judge; nodes whose protos are wrong are left out. */
function toUseCase({ name, nodes }: ReadBlueprint, { protos, dockerinfo, lineOf }: ReadExport): UseCase {
  const addresses = new Map(dockerinfo?.docker_info_list.map((one) => [one.container_name, one]));
  const services = nodes.flatMap(({ container_name, proto_uri = "" }): UseCaseService[] => {
    const proto = protos.get(proto_uri);
    const { ip_address = container_name, port = "8080" } = addresses.get(container_name) ?? {};
    if (proto === undefined) return [];
    const service = { folder: container_name, ip_address, port: Number(port), proto_file: proto_uri, proto };
    return [{ ...service, dockerfile: undefined }];
  });
  const connections = [...connectionsOf(nodes)].map(
    ({ from, to, path }): Connection => ({
      from_service: from.container,
      from_method: from.operation,
      to_service: to.container,
      to_method: to.operation,
      line: lineOf("blueprint.json", path) ?? 1,
    }),
  );
  return {
    name,
    folder: "",
    pipeline: { name, description: "", start_service: undefined, start_line: 1, creation_date: undefined },
    services,
    connections,
    also_connected: new Set(),
    published: undefined,
  };
}
