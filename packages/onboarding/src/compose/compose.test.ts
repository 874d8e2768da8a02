import { spawnSync } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder } from "@aieffect/test-support";
import { DCLinter } from "dclint";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { PlanOptions } from "../plan/export-plan.ts";
import { planExport } from "../plan/plan-export.ts";
import { ProblemsError } from "../problems/problem.ts";
import { readExportFiles } from "../read/read-export.ts";
import { readUseCase } from "../read/read-use-case.ts";
import { topologies } from "../testing/topologies.ts";
import { connect, type GivenUseCase, proto, row, writeUseCase } from "../testing/write-use-case.ts";
import { toExportFiles } from "../write/export-files.ts";
import { writeBuildScript } from "./build-script.ts";
import type { ComposeOptions } from "./compose-model.ts";
import { planDeployment } from "./plan-deployment.ts";
import { writeCompose } from "./write-compose.ts";

async function planned(given: GivenUseCase, options: PlanOptions = {}) {
  return planExport(await readUseCase(await writeUseCase(given)), options);
}

async function composed(given: GivenUseCase, options: ComposeOptions = {}) {
  const text = writeCompose(await planned(given), options);
  return { text, compose: parse(text) };
}

/** What the linter that CI uses objects to, apart from its taste in order. */
async function lint(text: string): Promise<string[]> {
  const file = join(await tempFolder(), "docker-compose.yml");
  await writeFile(file, text);
  const taste = [
    "service-keys-order",
    "services-alphabetical-order",
    "no-unbound-port-interfaces",
    "no-build-and-image",
    "service-image-require-explicit-tag",
  ];
  const off = Object.fromEntries(taste.map((rule) => [rule, 0]));
  const rules = { ...off, "require-quotes-in-ports": [1, { quoteType: "double" }] };
  const linter = new DCLinter({ rules, quiet: false, debug: false, exclude: [], disableAllRules: false });
  return linter
    .lintFiles([file], false)
    .flatMap(({ messages }: { messages: { line: number; message: string; rule: string }[] }) =>
      messages.map(({ line, message, rule }) => `${line}: ${message} (${rule})`),
    );
}

const shared: GivenUseCase = {
  ...row,
  pipeline: {
    service_mapping: {
      loader: { ip_address: "data-plane", port: 8080 },
      trainer: { ip_address: "trainer", port: 9000 },
      reporter: { ip_address: "data-plane", port: 8080 },
    },
  },
};

describe("a compose file", () => {
  it("has the hosts and ports of the dockerinfo, on the shared network", async () => {
    const plan = await planned(row);
    const compose = parse(writeCompose(plan));
    for (const { ip_address, port } of plan.dockerinfo.docker_info_list) {
      const service = compose.services[ip_address];
      expect(service.environment).toMatchObject({ PORT: port, SELF_URL: `http://${ip_address}:${port}` });
      expect(service.ports[0]).toMatch(new RegExp(`:${port}$`));
      expect(service.networks).toEqual(["ai-effect-services"]);
    }
    expect(compose.networks).toEqual({ "ai-effect-services": { external: true } });
    const ports = Object.values<{ ports: string[] }>(compose.services).flatMap((service) => service.ports);
    expect(ports).toEqual([
      "18081:8080",
      "50051:50051",
      "18082:8080",
      "50052:50051",
      "18083:8080",
      "50053:50051",
    ]);
  });

  it("starts what gives data before what takes it, once it is healthy", async () => {
    const { compose } = await composed(row);
    const before = (host: string) => compose.services[host].depends_on;
    expect([before("loader"), before("trainer"), before("reporter")]).toEqual([
      undefined,
      { loader: { condition: "service_healthy" } },
      { trainer: { condition: "service_healthy" } },
    ]);
  });

  it("runs two roles at one address as one service, and waits in no circle", async () => {
    const { compose } = await composed(shared);
    expect(Object.keys(compose.services)).toEqual(["data-plane", "trainer"]);
    const waits = Object.values<{ depends_on?: object }>(compose.services).map(({ depends_on = {} }) =>
      Object.keys(depends_on),
    );
    expect(waits.flat()).toHaveLength(1);
  });

  it("made from an export is the one that its use case gives", async () => {
    const plan = await planned(shared);
    expect(writeCompose(planDeployment(readExportFiles(toExportFiles(plan))))).toBe(writeCompose(plan));
    const files = new Map(toExportFiles(plan)).set("dockerinfo.json", '{"docker_info_list": []}');
    expect(() => planDeployment(readExportFiles(files))).toThrow(ProblemsError);
  });

  it("leaves out what runs elsewhere, and says so", async () => {
    const service_mapping = {
      loader: { ip_address: "10.0.0.7", port: 8080 },
      trainer: { ip_address: "gpu.example.org", port: 8080 },
      reporter: { ip_address: "reporter", port: 8080 },
    };
    const { text, compose } = await composed({ ...row, pipeline: { service_mapping } });
    expect(Object.keys(compose.services)).toEqual(["reporter"]);
    expect(text).toContain("Not here: loader1, which answers at 10.0.0.7.");
    expect(text).toContain("Not here: trainer1, which answers at gpu.example.org.");
  });

  it("builds from sources where they are, seen from the build context", async () => {
    const files = { "services/loader/Dockerfile": "FROM scratch\n" };
    const options = { dev: true, context: "../..", prefix: "use-cases/wind_park" };
    const { text, compose } = await composed({ ...row, files }, options);
    expect(compose.services.loader.build).toEqual({
      context: "../..",
      dockerfile: "use-cases/wind_park/services/loader/Dockerfile",
    });
    expect(compose.services.trainer.build).toBeUndefined();
    expect(text).toContain("Not built: trainer, which has no Dockerfile");
    expect((await composed({ ...row, files })).compose.services.loader.build).toBeUndefined();
  });

  it("brings the orchestrator along", async () => {
    const { compose } = await composed(row, { orchestrator: true });
    expect(compose.services.orchestrator).toMatchObject({
      ports: ["18000:8000"],
      networks: ["ai-effect-services"],
    });
  });

  it("does not put the orchestrator in a service's place", async () => {
    const service_mapping = {
      loader: { ip_address: "orchestrator", port: 8080 },
      trainer: { ip_address: "trainer", port: 8080 },
      reporter: { ip_address: "reporter", port: 8080 },
    };
    const plan = await planned({ ...row, pipeline: { service_mapping } });
    expect(Object.keys(parse(writeCompose(plan)).services)).toHaveLength(3);
    expect(() => writeCompose(plan, { orchestrator: true })).toThrow(/"orchestrator".* of loader1/);
  });

  it("gives a service two ports, whichever it is controlled through", async () => {
    const service_mapping = {
      loader: { ip_address: "loader", port: 50_051 },
      trainer: { ip_address: "trainer", port: 8080 },
      reporter: { ip_address: "reporter", port: 8080 },
    };
    const { compose } = await composed({ ...row, pipeline: { service_mapping } });
    expect(compose.services.loader.ports).toEqual(["18081:50051", "50051:50052"]);
    expect(compose.services.loader.environment).toMatchObject({ PORT: "50051", GRPC_PORT: "50052" });
  });

  it.each([
    [{ control_base_port: 17_999, orchestrator: true }, "to leave out 18000"],
    [{ base_port: 65_534 }, "between 1 and 65535"],
    [{ base_port: 18_082 }, "they overlap"],
  ])("is refused with ports that clash: %j", async (options, message) => {
    const plan = await planned(row);
    expect(() => writeCompose(plan, options)).toThrow(message);
  });

  it("asks for health with what an image has", async () => {
    const { compose } = await composed(row);
    const [kind, script] = compose.services.loader.healthcheck.test;
    expect(kind).toBe("CMD-SHELL");
    // Nothing listens there: whichever program is here has to say so.
    expect(spawnSync("sh", ["-n", "-c", script]).status).toBe(0);
    expect(spawnSync("sh", ["-c", script.replaceAll(":8080", ":1")]).status).not.toBe(0);
  });

  it("passes the linter, whatever the pipeline", async () => {
    await fc.assert(
      fc.asyncProperty(topologies(12), fc.boolean(), fc.boolean(), async (topology, dev, orchestrator) => {
        const service_mapping = Object.fromEntries(
          Object.keys(topology.protos).map((name) => [
            name,
            { ip_address: name.replaceAll("_", "-"), port: 8080 },
          ]),
        );
        const { text } = await composed(
          { ...topology, pipeline: { service_mapping } },
          { dev, orchestrator },
        );
        expect(await lint(text)).toEqual([]);
      }),
      { numRuns: 4 },
    );
  });
});

describe("a build script", () => {
  it("tags every image as the blueprint names it", async () => {
    const plan = await planned(shared, { registry: "ghcr.io/institute", tag: "1.2.0" });
    const script = writeBuildScript(plan);
    const tags = script.split("\n").filter((line) => line.startsWith("tag "));
    expect(tags).toEqual([
      ...new Set(plan.services.map(({ ip_address, image }) => `tag ${ip_address} ${image}`)),
    ]);
    expect(spawnSync("sh", ["-n"], { input: script }).status).toBe(0);
  });

  it("tags the service's own image, and not one that it depends on", async () => {
    const folder = await writeUseCase(row);
    const plan = planExport(await readUseCase(folder), { tag: "1.2.0" });
    // What compose v2 answers: services in order of names, and an image only where the file has one.
    const config = `name: parks
services:
  loader:
    build:
      context: /parks
      image: nonsense
    networks:
      default: null
  reporter:
    build:
      context: /parks
    depends_on:
      loader:
        condition: service_healthy
        required: true
    image: "institute/reporter:3"
  trainer:
    build:
      context: /parks
    image: ${plan.services[2]?.image}
networks:
  default:
    name: parks_default
`;
    const bin = await tempFolder();
    await writeFile(join(bin, "config.yml"), config);
    await writeFile(
      join(bin, "docker"),
      `#!/bin/sh\ncase "$*" in "compose config") cat ${bin}/config.yml ;; *) echo "$*" >> ${bin}/calls ;; esac\n`,
    );
    await chmod(join(bin, "docker"), 0o755);
    await writeFile(join(folder, "build_and_tag.sh"), writeBuildScript(plan));
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    const { status, stdout, stderr } = spawnSync("sh", [join(folder, "build_and_tag.sh")], { env });
    expect([status, String(stderr)]).toEqual([0, ""]);
    expect(String(stdout).trim().split("\n")).toEqual(plan.services.map(({ image }) => image));
    expect((await readFile(join(bin, "calls"), "utf8")).trim().split("\n")).toEqual([
      "compose build",
      `tag parks-loader ${plan.services[0]?.image}`,
      `tag institute/reporter:3 ${plan.services[1]?.image}`,
    ]);
    await writeFile(join(bin, "config.yml"), config.replace("  trainer:", "  coach:"));
    const missing = spawnSync("sh", [join(folder, "build_and_tag.sh")], { env });
    expect([missing.status, String(missing.stderr)]).toEqual([
      1,
      "Expected docker-compose.yml to have a service trainer, found none\n",
    ]);
  });

  it("stays a script, whatever the use case is called", async () => {
    const messages = { A: "int32 a = 1;" };
    const protos = {
      one: proto("rpc Do(A) returns (A);", messages),
      two: proto("rpc Do(A) returns (A);", messages),
    };
    const name = "it's $(touch owned)";
    const plan = await planned({ name, protos, connections: connect("one.Do -> two.Do") }).catch(
      () => undefined,
    );
    // Such a name may be refused before; where it is not, the shell must not take it for its own.
    const script = plan === undefined ? "" : writeBuildScript(plan);
    expect(spawnSync("sh", ["-n"], { input: script }).status).toBe(0);
    expect(
      script
        .split("\n")
        .filter((line) => !line.startsWith("#"))
        .join("\n"),
    ).not.toContain("$(touch");
  });
});
