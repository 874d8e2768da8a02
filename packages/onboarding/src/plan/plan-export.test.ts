import { readFileSync } from "node:fs";
import { createOrchestrator } from "@aieffect/orchestrator-lite";
import { fixturesOf, needs } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { toLine } from "../problems/problem.ts";
import { readUseCase } from "../read/read-use-case.ts";
import { connect, type GivenUseCase, proto, row, writeUseCase } from "../testing/write-use-case.ts";
import type { PlanOptions } from "./export-plan.ts";
import { planExport } from "./plan-export.ts";

async function planOf(given: GivenUseCase, options?: PlanOptions) {
  return planExport(await readUseCase(await writeUseCase(given)), options);
}

/** Protos for fixtures, which come without: each RPC takes what the one before it gives. */
const inRow = (...steps: [folder: string, method: string, input: string][]) =>
  Object.fromEntries(
    steps.map(([folder, method, input]) => [
      folder,
      proto(`rpc ${method}(${input}) returns (${method}Response);`, {
        [input]: "bool success = 1; string message = 2;",
        [`${method}Response`]: "bool success = 1; string message = 2;",
      }),
    ]),
  );
const fixtures: Record<string, Record<string, string>> = {
  file_based_energy_pipeline: inRow(
    ["input_provider", "GetConfiguration", "GetConfigurationRequest"],
    ["data_generator", "GenerateData", "GetConfigurationResponse"],
    ["data_analyzer", "AnalyzeData", "GenerateDataResponse"],
    ["report_generator", "GenerateReport", "AnalyzeDataResponse"],
  ),
  "portugal-node-sidecar": inRow(
    ["data_loader", "ExecuteQuery", "ExecuteQueryRequest"],
    ["feature_engineer", "ApplyFunction", "ExecuteQueryResponse"],
    ["model_trainer", "TrainModel", "ApplyFunctionResponse"],
    ["data_generator", "GenerateData", "TrainModelResponse"],
  ),
};

describe.each(Object.keys(fixtures))("the deployed use case %s", (name) => {
  const fixture = fixturesOf(name);
  const skip = needs(`the deployed export of ${name}`, fixture);
  const read = (file: string) => JSON.parse(readFileSync(`${fixture}/${file}`, "utf8"));

  it.skipIf(skip)(
    "becomes its deployed export, id and date apart, and the orchestrator accepts it",
    async () => {
      const protos = fixtures[name] ?? {};
      const files = { "connections.json": JSON.stringify(read("connections.json")) };
      const plan = await planOf({ name, protos, files });
      expect(plan.problems).toEqual([]);
      const { pipeline_id, creation_date } = plan.blueprint;
      expect(plan.blueprint).toEqual({ ...read("blueprint.json"), pipeline_id, creation_date });
      expect(Object.keys(plan.blueprint)).toEqual(Object.keys(read("blueprint.json")));
      expect(plan.dockerinfo).toEqual(read("dockerinfo.json"));
      expect(plan.metadata).toEqual(read("generation_metadata.json"));

      const orchestrator = await createOrchestrator({ listen: false, retry_attempts: 1 });
      onTestFinished(orchestrator.close);
      const { workflow_id } = await orchestrator.submit({
        blueprint: plan.blueprint,
        dockerinfo: plan.dockerinfo,
      });
      expect(await orchestrator.tasks(workflow_id)).toHaveLength(4);
      await orchestrator.remove(workflow_id);
    },
  );
});

describe("a blueprint", () => {
  it("has every RPC where nothing is connected, and connected ones only where something is", async () => {
    const loader = proto("rpc Load(Series) returns (Series); rpc Look(Series) returns (stream Series);", {
      Series: "repeated double values = 1;",
    });
    const operations = async (connections: Record<string, string>[]) =>
      (await planOf({ protos: { ...row.protos, loader }, connections })).blueprint.nodes.map((node) => [
        node.container_name,
        node.node_type,
        node.operation_signature_list.map(({ operation_signature: one }) => one.operation_name),
      ]);
    expect(await operations([])).toEqual([
      ["loader1", "DataSource", ["Load", "Look"]],
      ["reporter1", "DataSource", ["Report"]],
      ["trainer1", "DataSource", ["Train"]],
    ]);
    expect(await operations([...row.connections])).toEqual([
      ["loader1", "DataSource", ["Load"]],
      ["reporter1", "DataSink", ["Report"]],
      ["trainer1", "MLModel", ["Train"]],
    ]);
  });

  it("tells streams, and connections in the order of connections.json, each once", async () => {
    const any = (rpc: string) => proto(rpc, { Any: "string uri = 1;" });
    const plan = await planOf({
      protos: {
        a: any("rpc A(Any) returns (stream Any);"),
        b: any("rpc B(stream Any) returns (Any);"),
        c: any("rpc C(Any) returns (Any);"),
      },
      connections: connect("a.A -> c.C", "a.A -> b.B", "a.A -> c.C"),
    });
    const [a, b] = plan.blueprint.nodes.map((node) => node.operation_signature_list[0]);
    expect(a?.connected_to.map((one) => one.container_name)).toEqual(["c1", "b1"]);
    expect(a?.operation_signature).toMatchObject({
      output_message_stream: true,
      input_message_stream: false,
    });
    expect(b?.operation_signature).toMatchObject({
      output_message_stream: false,
      input_message_stream: true,
    });
    expect(plan.problems.map(toLine)).toEqual([
      "connections.json:19: warning [message-mismatch] Expected both ends to stream, or neither, found a stream that ends in a single message: a:A gives Any, c:C takes Any. Write or leave out stream in one of the two rpcs, if the designer does not draw the line",
      "connections.json:31: warning [duplicate] Expected each connection once, found a:A -> c:C again, which is in line 19 already. Take one of the two out",
    ]);
  });

  it("keeps roles at one address apart, back and forth between two services too", async () => {
    const any = (...names: string[]) =>
      proto(names.map((name) => `rpc ${name}(Any) returns (Any);`).join(" "), { Any: "string uri = 1;" });
    const plan = await planOf({
      protos: { ask: any("Ask", "Judge"), work: any("Work") },
      connections: connect("ask.Ask -> work.Work", "work.Work -> ask.Judge"),
      pipeline: {
        service_mapping: { ask: { ip_address: "one", port: 80 }, work: { ip_address: "one", port: 80 } },
      },
    });
    expect(plan.problems).toEqual([]);
    expect(plan.blueprint.nodes.map((node) => [node.node_type, node.image])).toEqual([
      ["MLModel", "wind_park-one:latest"],
      ["MLModel", "wind_park-one:latest"],
    ]);
    expect(plan.services.map(({ depends_on }) => depends_on)).toEqual([[], ["ask1"]]);
  });

  it("has an id that is its content's, and the use case's date, or none", async () => {
    const [plain, same, other, renamed] = [
      await planOf(row),
      await planOf(row),
      await planOf({ ...row, protos: { ...row.protos, loader: `${row.protos.loader}// New.\n` } }),
      await planOf({ ...row, name: "wind_farm" }),
    ];
    expect(plain.blueprint.pipeline_id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(same.blueprint.pipeline_id).toBe(plain.blueprint.pipeline_id);
    const ids = [plain, other, renamed].map(({ blueprint }) => blueprint.pipeline_id);
    expect(new Set(ids).size).toBe(3);
    expect(plain.blueprint.creation_date).toBe("1980-01-01 00:00:00.000000");
    const dated = { ...row, pipeline: { creation_date: "2026-02-25 01:55:50.3423" } };
    expect((await planOf(dated)).blueprint.creation_date).toBe("2026-02-25 01:55:50.342300");
    expect((await planOf(dated, { creation_date: "2027-01-01" })).blueprint.creation_date).toBe(
      "2027-01-01 00:00:00.000000",
    );
    // Nobody's pipeline becomes another one by its date.
    expect((await planOf(dated)).blueprint.pipeline_id).toBe(plain.blueprint.pipeline_id);
  });

  it.each([
    ["file_based_energy_pipeline", "File Based Energy Pipeline"],
    ["portugal-node-sidecar", "Portugal-Node-Sidecar"],
    ["tef2grid", "Tef2Grid"],
  ])("is named after the folder: %s", async (name, expected) => {
    expect((await planOf({ ...row, name })).blueprint.name).toBe(expected);
  });

  it("names images with registry, tag and digests, lower-case as they have to be", async () => {
    const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
    const plan = await planOf(
      { ...row, name: "Wind_Park" },
      {
        registry: "registry.example.org:5000/energy/",
        tag: "1.2.0",
        digests: { "wind_park-trainer": digest },
      },
    );
    const images = [
      "registry.example.org:5000/energy/wind_park-loader:1.2.0",
      "registry.example.org:5000/energy/wind_park-reporter:1.2.0",
      `registry.example.org:5000/energy/wind_park-trainer@${digest}`,
    ];
    expect(plan.blueprint.nodes.map(({ image }) => image)).toEqual(images);
    expect(plan.services.map(({ image }) => image)).toEqual(images);
    expect(plan.metadata.services.map(({ image_name }) => image_name)).toEqual(images);
    await expect(planOf(row, { digests: { trainer: digest } })).rejects.toThrow(
      'Expected digests of images of the use case, found one of "trainer"; there are wind_park-loader, wind_park-reporter, wind_park-trainer',
    );
  });

  it.each<[PlanOptions, string]>([
    [
      { registry: "https://registry.example.org" },
      "Expected registry to be as in registry.example.org/energy",
    ],
    [{ tag: "a b" }, "Expected tag to be as in latest or 1.2.0"],
    [{ digests: { x: "sha256:1" } }, "Expected the digest of x to be sha256: and 64 hex digits"],
    [{ creation_date: "yesterday" }, "Expected creation_date to be as in 2026-02-25 01:55:50"],
    [{ profile: "lax" as never }, "Expected profile to be portal or ai4eu-strict"],
  ])("is not planned with an option that makes no sense: %j", async (options, message) => {
    await expect(planOf(row, options)).rejects.toThrow(TypeError);
    await expect(planOf(row, options)).rejects.toThrow(message);
  });
});

describe("an export for this machine", () => {
  const compose = (reporter: string) => `services:
  loader: { ports: ["18081:8080"] }
  trainer: { ports: ["127.0.0.1:18082:8080"] }
  page:
    hostname: reporter
    ports: [${reporter}]
`;
  it("has the host's ports that lead to the services", async () => {
    const files = { "docker-compose.yml": compose('"50051:50051", "18083:8080"') };
    const [here, there] = [await planOf({ ...row, files }, { local: true }), await planOf({ ...row, files })];
    expect(here.dockerinfo.docker_info_list).toEqual([
      { container_name: "loader1", ip_address: "host.docker.internal", port: "18081" },
      { container_name: "reporter1", ip_address: "host.docker.internal", port: "18083" },
      { container_name: "trainer1", ip_address: "host.docker.internal", port: "18082" },
    ]);
    expect(here.blueprint).toEqual(there.blueprint);
    expect(here.services).toEqual(there.services);
  });

  it.each([
    [
      undefined,
      "docker-compose.yml: error [host-port] Expected a compose file that publishes the services' ports on this host, found none. Write docker-compose.yml, or export without --local",
    ],
    [
      compose('"50051:50051"'),
      'docker-compose.yml:4: error [host-port] Expected a port of the host for port 8080 of reporter (reporter), found 50051:50051. Publish it, as in ports: ["18080:8080"]',
    ],
    ["services: [", "docker-compose.yml:1: error [syntax] Expected YAML"],
  ])("says what the compose file lacks", async (text, expected) => {
    const files: Record<string, string> = text === undefined ? {} : { "docker-compose.yml": text };
    await expect(planOf({ ...row, files }, { local: true })).rejects.toThrow(expected);
    await expect(planOf({ ...row, files })).resolves.toMatchObject({ problems: [] });
  });
});
