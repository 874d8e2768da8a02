import { createOrchestrator } from "@aieffect/orchestrator-lite";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkExport } from "../check/check-export.ts";
import { type ProblemCode, ProblemsError } from "../problems/problem.ts";
import { readExportFiles } from "../read/read-export.ts";
import { readUseCase } from "../read/read-use-case.ts";
import { type Topology, topologies } from "../testing/topologies.ts";
import { writeUseCase } from "../testing/write-use-case.ts";
import { toExportFiles, toExportZip } from "../write/export-files.ts";
import { planExport } from "./plan-export.ts";

describe("a random pipeline", () => {
  it("of up to 200 services is exported, twice the same, and the orchestrator and the check accept it", async () => {
    const orchestrator = await createOrchestrator({ listen: false, retry_attempts: 1 });
    onTestFinished(orchestrator.close);
    await fc.assert(
      fc.asyncProperty(topologies(200), fc.boolean(), async (topology, align) => {
        const folder = await writeUseCase(topology);
        const plan = planExport(await readUseCase(folder), { align });
        const again = planExport(await readUseCase(folder), { align });
        expect(Buffer.from(toExportZip(again)).equals(toExportZip(plan))).toBe(true);
        const { blueprint, dockerinfo } = JSON.parse(JSON.stringify(plan)) as typeof plan;
        const { workflow_id } = await orchestrator.submit({ blueprint, dockerinfo });
        const tasks = await orchestrator.tasks(workflow_id);
        await orchestrator.remove(workflow_id);
        const nodes = new Set(
          topology.connections.flatMap((one) => [
            `${one.from_service}1:${one.from_method}`,
            `${one.to_service}1:${one.to_method}`,
          ]),
        );
        expect(new Set(tasks.map(({ node_key }) => node_key))).toEqual(nodes);
        const checked = checkExport(readExportFiles(toExportFiles(plan)));
        expect(checked.filter(({ severity }) => severity === "error")).toEqual([]);
      }),
      { numRuns: 4 },
    );
  });

  /** Ways to spoil a pipeline, by what each has to be called. */
  const faults: [ProblemCode, (topology: Topology, at: number) => void][] = [
    [
      "cycle",
      ({ connections }, at) => {
        const { from_service, from_method, to_service, to_method } = one(connections, at);
        connections.push({
          from_service: to_service as string,
          from_method: to_method as string,
          to_service: from_service as string,
          to_method: from_method as string,
        });
      },
    ],
    [
      "unknown-service",
      ({ connections }, at) => Object.assign(one(connections, at), { to_service: "nobody" }),
    ],
    ["unknown-method", ({ connections }, at) => Object.assign(one(connections, at), { from_method: "Undo" })],
    [
      "message-mismatch",
      ({ connections, protos }, at) =>
        spoil(protos, one(connections, at).to_service, /string uri/, "bytes uri"),
    ],
    ["syntax", ({ connections, protos }, at) => spoil(protos, one(connections, at).to_service, /;/, "")],
    [
      "import",
      ({ connections, protos }, at) =>
        spoil(protos, one(connections, at).to_service, /;/, '; import "gone.proto";'),
    ],
    [
      "no-method",
      ({ connections, protos }, at) =>
        spoil(protos, one(connections, at).to_service, /service[^}]*}/, "service Node {}"),
    ],
    [
      "name-clash",
      ({ connections, protos }, at) =>
        spoil(protos, one(connections, at).to_service, /$/, "service Two { rpc Do0(Unit) returns (Unit); }"),
    ],
    ["unreachable", (topology) => addService(topology, "alone", { ip_address: "127.0.0.1", port: 1 })],
    ["unmapped-folder", (topology) => addService(topology, "unmapped", undefined)],
    [
      "missing-folder",
      ({ pipeline }) =>
        Object.assign(pipeline?.service_mapping as object, { gone: { ip_address: "127.0.0.1", port: 1 } }),
    ],
    [
      "proto-count",
      (topology, at) => {
        topology.files = { [`services/${one(topology.connections, at).to_service}/proto/more.proto`]: "" };
      },
    ],
    [
      "ambiguous-service",
      ({ connections }, at) => Object.assign(one(connections, at), { to_service: "127.0.0.1" }),
    ],
    ["field", ({ connections }, at) => Object.assign(one(connections, at), { to_method: 7 })],
    [
      "start",
      ({ connections, protos, pipeline }, at) => {
        const connection = one(connections, at);
        const { to_service = "" } = connection;
        // All of its RPCs have to take something.
        for (const [, to_method = ""] of (protos[to_service] ?? "").matchAll(/rpc (\w+)/g))
          connections.push({ ...connection, to_method });
        Object.assign(pipeline as object, { start_service: to_service });
      },
    ],
  ];

  it.each(faults)("with a fault is refused: %s", async (code, put) => {
    await fc.assert(
      fc.asyncProperty(topologies(12), fc.nat(), async (topology, at) => {
        const spoilt = structuredClone(topology);
        put(spoilt, at);
        const read = await readUseCase(await writeUseCase(spoilt));
        let problems: ProblemsError["problems"] = [];
        try {
          planExport(read);
        } catch (error) {
          if (!(error instanceof ProblemsError)) throw error;
          problems = error.problems;
        }
        const found = problems.filter(({ severity }) => severity === "error").map((one) => one.code);
        expect(found).toContain(code);
      }),
      { numRuns: 4 },
    );
  });
});

function one(connections: Record<string, string>[], at: number): Record<string, string> {
  return connections[at % connections.length] ?? {};
}

function spoil(protos: Record<string, string>, folder: string | undefined, what: RegExp, by: string): void {
  protos[folder ?? ""] = (protos[folder ?? ""] ?? "").replace(what, by);
}

function addService({ protos, pipeline }: Topology, folder: string, mapping: object | undefined): void {
  protos[folder] = Object.values(protos)[0] ?? "";
  if (mapping !== undefined) Object.assign(pipeline?.service_mapping as object, { [folder]: mapping });
}
