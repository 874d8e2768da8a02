import { readFileSync } from "node:fs";
import { createHostPolicy } from "@aieffect/control-interface";
import { fixturesOf, needs } from "@aieffect/test-support";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blueprintOf, chainOf, dockerinfoOf } from "../testing/documents.ts";
import { createHostJudge } from "./judge-host.ts";
import { parseSubmission } from "./parse-submission.ts";
import { planWorkflow } from "./plan-workflow.ts";

const defaults = {
  task_timeout_s: 60,
  workflow_timeout_s: null,
  retry: { attempts: 3, backoff_s: 0.5, on: [] },
  judgeHost: createHostJudge(createHostPolicy()),
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
};

const plan = (submission: unknown) => planWorkflow(parseSubmission(submission), defaults);

/** Every message of a submission's problems. */
function problemsOf(submission: unknown): string {
  try {
    plan(submission);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

const nodes = ["a:A", "b:B"];
const good = () => ({ blueprint: chainOf(...nodes), dockerinfo: dockerinfoOf(nodes, 8080) });

describe("planWorkflow", () => {
  describe.each(["file_based_energy_pipeline", "portugal-node-sidecar"])("the real export %s", (name) => {
    const folder = fixturesOf(name);
    it.skipIf(needs(`the fixture ${name}`, folder))("is accepted", () => {
      const read = (file: string) => JSON.parse(readFileSync(`${folder}/${file}.json`, "utf8"));
      const { nodes: planned } = plan({ blueprint: read("blueprint"), dockerinfo: read("dockerinfo") });
      expect(planned).toHaveLength(4);
      expect(planned.filter(({ predecessors }) => predecessors.length === 0)).toHaveLength(1);
    });
  });

  it("accepts what the documentation's own sample leaves out", () => {
    const { name, pipeline_id } = chainOf("a:A");
    const blueprint = {
      name,
      pipeline_id,
      nodes: [
        {
          container_name: "a",
          node_type: "MLModel",
          operation_signature_list: [{ operation_signature: { operation_name: "A" } }],
        },
      ],
    };
    expect(plan({ blueprint, dockerinfo: dockerinfoOf(["a:A"], 8080) }).nodes).toMatchObject([
      { key: "a:A" },
    ]);
  });

  it("takes the port as text or number, and several containers at one address", () => {
    const docker_info_list = [
      { container_name: "a", ip_address: "same", port: "8080" },
      { container_name: "b", ip_address: "same", port: 8080 },
    ];
    const addresses = plan({ ...good(), dockerinfo: { docker_info_list } }).nodes.map(
      ({ address }) => address,
    );
    expect(addresses).toEqual(["http://same:8080", "http://same:8080"]);
  });

  const change = (path: (string | number)[], value: unknown) => {
    const submission = structuredClone(good()) as unknown as Record<string | number, unknown>;
    const parent = path.slice(0, -1).reduce((at, step) => at[step] as typeof submission, submission);
    parent[path.at(-1) as string] = value;
    return submission;
  };
  const operation = ["blueprint", "nodes", 0, "operation_signature_list", 0];
  const docker = ["dockerinfo", "docker_info_list", 0];

  it.each<[string, unknown, string]>([
    ["an unknown key", change(["blueprint", "extra"], 1), "Invalid blueprint: extra: unknown key"],
    [
      "an unknown key far below",
      change([...operation, "connected_to", 0, "x"], 1),
      "Invalid blueprint: nodes[0].operation_signature_list[0].connected_to[0].x: unknown key",
    ],
    [
      "a key __proto__",
      JSON.parse(JSON.stringify(good()).replace('"name":', '"__proto__":{},"name":')),
      "Invalid blueprint: __proto__: unknown key",
    ],
    [
      "no nodes",
      change(["blueprint", "nodes"], []),
      "Invalid blueprint: nodes: expected something that is not empty, found a list of 0",
    ],
    [
      "a missing name",
      change(["blueprint", "nodes", 1, "container_name"], undefined),
      "Invalid blueprint: nodes[1].container_name: required, found nothing",
    ],
    [
      "a connection to nowhere",
      change([...operation, "connected_to", 0, "container_name"], "c"),
      "Invalid blueprint: a:A is connected to c:B, which is no node",
    ],
    [
      "a node twice",
      { ...good(), blueprint: blueprintOf(["a:A", "a:A"]) },
      "Invalid blueprint: node a:A is listed twice",
    ],
    [
      "a cycle behind a start node",
      {
        ...good(),
        blueprint: blueprintOf(
          ["a:A", "b:B", "b:C"],
          [
            ["a:A", "b:B"],
            ["b:B", "b:C"],
            ["b:C", "b:B"],
          ],
        ),
      },
      "Invalid blueprint: the connections form a cycle: b:B -> b:C -> b:B",
    ],
    [
      "no start node",
      {
        ...good(),
        blueprint: blueprintOf(nodes, [
          ["a:A", "b:B"],
          ["b:B", "a:A"],
        ]),
      },
      "Invalid blueprint: the connections form a cycle: a:A -> b:B -> a:A; no start node: every node has a predecessor",
    ],
    [
      "a container that dockerinfo does not list",
      { ...good(), dockerinfo: dockerinfoOf(["a:A"], 8080) },
      'Invalid dockerinfo: docker_info_list: expected the container "b" of the blueprint, found it nowhere',
    ],
    [
      "a port out of range",
      change([...docker, "port"], "70000"),
      'Invalid dockerinfo: docker_info_list[0].port: expected a port from 1 to 65535, found "70000"',
    ],
    [
      "a host with a path",
      change([...docker, "ip_address"], "host/path"),
      'Invalid dockerinfo: docker_info_list[0].ip_address: expected a host name or address without scheme, port or path, found "host/path"',
    ],
    [
      "a metadata address in disguise",
      change([...docker, "ip_address"], "0xa9fea9fe"),
      "Invalid dockerinfo: docker_info_list[0].ip_address: Refused to call 169.254.169.254: link-local and metadata addresses are never called",
    ],
    [
      "an input that is no reference",
      {
        ...good(),
        inputs: [
          { protocol: "inline", uri: "e30=", format: "json", metadata: null },
          { protocol: "ftp", uri: "x", format: "csv" },
        ],
      },
      'Invalid inputs: inputs[1].protocol: Expected protocol to be one of inline, file, http, https, s3, nfs, mqtt, grpc, villas, found "ftp" (R-REF-02)',
    ],
    [
      "parameters of no node",
      { ...good(), parameters: { "c:C": {} } },
      'Invalid parameters: expected a node of the blueprint (container:operation), found "c:C"',
    ],
    [
      "options of no node",
      { ...good(), nodes: { "a:B": { timeout_s: 1 } } },
      'Invalid nodes: expected a node of the blueprint (container:operation), found "a:B"',
    ],
  ])("refuses %s", (_name, submission, message) => {
    expect(problemsOf(submission)).toBe(message);
  });

  it("tells all problems of all documents at once", () => {
    const submission = { blueprint: { nodes: [], x: 1 }, dockerinfo: { docker_info_list: 5 }, inputs: [7] };
    expect(problemsOf(submission)).toBe(
      "Invalid blueprint: nodes: expected something that is not empty, found a list of 0; name: required, found nothing; " +
        "pipeline_id: required, found nothing; x: unknown key; " +
        "Invalid dockerinfo: docker_info_list: expected a list, found 5; " +
        "Invalid inputs: inputs[0]: Expected a DataReference object, found 7 (R-REF-01)",
    );
  });

  it("refuses more nodes than the limit, at the price of counting them", () => {
    const blueprint = { ...chainOf("a:A"), nodes: Array.from({ length: 10_001 }, () => 0) };
    expect(problemsOf({ ...good(), blueprint })).toContain("nodes: expected at most 10000, found more");
  });

  it("refuses a document that is nested too deep", () => {
    const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    expect(() => plan({ ...good(), inputs: [deep] })).toThrow("Expected at most 200 levels of nesting");
  });

  it("keeps predecessors in the order of the connections, each once", () => {
    const blueprint = blueprintOf(
      ["z:Z", "a:A", "m:M", "join:J"],
      [
        ["m:M", "join:J"],
        ["a:A", "join:J"],
        ["z:Z", "join:J"],
        ["a:A", "join:J"],
      ],
    );
    const dockerinfo = dockerinfoOf(["z:Z", "a:A", "m:M", "join:J"], 8080);
    expect(plan({ blueprint, dockerinfo }).nodes[3]?.predecessors).toEqual([0, 1, 2]);
  });

  it("finds a cycle exactly where there is one", () => {
    const graphs = fc
      .integer({ min: 1, max: 12 })
      .chain((size) =>
        fc.tuple(
          fc.constant(size),
          fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 25 }),
        ),
      );
    fc.assert(
      fc.property(graphs, ([size, edges]) => {
        const names = Array.from({ length: size }, (_, index) => `c${index}:Op`);
        const blueprint = blueprintOf(
          names,
          edges.map(([from, to]) => [names[from] as string, names[to] as string] as const),
        );
        const message = problemsOf({ blueprint, dockerinfo: dockerinfoOf(names, 8080) });
        const [, printed] = /form a cycle: ([^;]*)/.exec(message) ?? [];
        expect(printed !== undefined).toBe(reachesItself(size, edges));
        // Every step of the printed cycle is a connection.
        const steps = printed?.split(" -> ") ?? [];
        for (const [index, to] of steps.slice(1).entries()) {
          const isEdge = edges.some(([f, t]) => names[f] === steps[index] && names[t] === to);
          expect(isEdge).toBe(true);
        }
      }),
    );
  });

  it("never does anything but plan or refuse, whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.jsonValue(),
        fc.array(fc.jsonValue()),
        (blueprint, dockerinfo, inputs) => {
          const submission = { ...good(), blueprint: { ...chainOf("a:A"), nodes: blueprint }, inputs };
          expect(problemsOf(submission)).toMatch(/^Invalid (blueprint|inputs)/);
          expect(problemsOf({ ...good(), dockerinfo: { docker_info_list: [dockerinfo] } })).toMatch(
            /^Invalid dockerinfo/,
          );
        },
      ),
    );
  });
});

/** Whether any node can be reached from itself: by closure, unlike the code under test. */
function reachesItself(size: number, edges: readonly (readonly [number, number])[]): boolean {
  const reach = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
  for (const [from, to] of edges) (reach[from] as boolean[])[to] = true;
  for (let via = 0; via < size; via++) {
    for (let from = 0; from < size; from++) {
      for (let to = 0; to < size; to++) {
        if (reach[from]?.[via] && reach[via]?.[to]) (reach[from] as boolean[])[to] = true;
      }
    }
  }
  return reach.some((row, index) => row[index]);
}
