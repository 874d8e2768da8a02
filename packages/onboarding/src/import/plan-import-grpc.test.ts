import { describe, expect, it } from "vitest";
import { ProblemsError } from "../problems/problem.ts";
import { planImportGrpc } from "./plan-import-grpc.ts";

const container = (id: string, next_node?: string) => ({
  id,
  input_file: "/data/in",
  output_file: `/data/${id}.csv`,
  ...(next_node !== undefined && { next_node }),
  timeout_seconds: 30,
});

const configuration = {
  workflow_name: "energy",
  start_node: "energy-generator",
  execution_mode: "grpc",
  service_registry: { "energy-generator": "host:50051", "energy-analyzer": "host:50052" },
  containers: {
    "energy-generator": container("energy-generator", "energy-analyzer"),
    "energy-analyzer": container("energy-analyzer"),
  },
};

/** The problems of a configuration. */
function problemsOf(given: unknown) {
  try {
    planImportGrpc(typeof given === "string" ? given : JSON.stringify(given, null, 2), "workflow.json");
  } catch (error) {
    if (error instanceof ProblemsError) return error.problems;
    throw error;
  }
  return [];
}

describe("an older gRPC configuration", () => {
  it("becomes a chain of connections, with a folder for each container's sidecar", () => {
    const files = planImportGrpc(JSON.stringify(configuration), "workflow.json");
    expect(JSON.parse(files.get("connections.json") as string)).toEqual({
      pipeline: {
        name: "energy",
        description: "",
        start_service: "energy_generator",
        service_mapping: {
          energy_generator: { ip_address: "energy-generator-sidecar", port: 8080 },
          energy_analyzer: { ip_address: "energy-analyzer-sidecar", port: 8080 },
        },
        connections: [
          {
            from_service: "energy_generator",
            from_method: "Execute",
            to_service: "energy_analyzer",
            to_method: "Execute",
          },
        ],
      },
    });
    expect([...files.keys()].sort()).toEqual([
      "connections.json",
      "services/energy_analyzer/README.md",
      "services/energy_analyzer/proto/energy_analyzer.proto",
      "services/energy_generator/README.md",
      "services/energy_generator/proto/energy_generator.proto",
    ]);
    expect(files.get("services/energy_analyzer/README.md")).toContain(
      "`ContainerExecutor.Execute` of host:50052",
    );
  });

  it("fails on everything that is missing or empty, with the line", () => {
    const { workflow_name: _name, ...rest } = configuration;
    const broken = {
      ...rest,
      start_node: "",
      containers: {
        ...rest.containers,
        "energy-analyzer": { id: "energy-analyzer", input_file: "", next_node: null },
      },
    };
    const problems = problemsOf(broken);
    expect(problems.map(({ code, message }) => [code, message.split(":")[0]])).toEqual([
      ["field", "workflow_name"],
      ["field", "start_node"],
      ["field", "containers.energy-analyzer.output_file"],
      ["field", "containers.energy-analyzer.input_file"],
    ]);
    expect(problems.map(({ line }) => line)).toEqual([1, 2, 16, 18]);
  });

  it.each([
    [
      "cycle",
      {
        containers: {
          ...configuration.containers,
          "energy-analyzer": container("energy-analyzer", "energy-generator"),
        },
      },
    ],
    ["unknown-service", { start_node: "gone" }],
    ["unknown-service", { start_node: "toString" }],
    ["field", { workflow_name: " " }],
    ["field", { service_registry: { ...configuration.service_registry, "energy-analyzer": "host:99999" } }],
    ["unknown-service", { service_registry: { "energy-generator": "host:1" } }],
    [
      "unknown-service",
      {
        containers: { ...configuration.containers, "energy-analyzer": container("energy-analyzer", "gone") },
      },
    ],
    [
      "unreachable",
      { containers: { ...configuration.containers, "energy-generator": container("energy-generator") } },
    ],
    ["field", { containers: { ...configuration.containers, "energy-analyzer": container("another") } }],
    ["field", { execution_mode: "http" }],
    ["field", { surplus: 1 }],
  ])("is refused as %s: %j", (code, change) => {
    const problems = problemsOf({ ...configuration, ...change });
    expect(problems.map((problem) => problem.code)).toContain(code);
    expect(problems.every(({ line }) => line !== undefined)).toBe(true);
  });

  it("has to be JSON", () => {
    expect(problemsOf('{\n "workflow_name": }')).toMatchObject([{ code: "syntax", line: 2 }]);
  });
});
