import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { catalogue } from "@aieffect/conformance";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { judge, shortcomings, unhurried } from "./judge.ts";
import { startProgram } from "./start-program.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const useCase = `${root}use-cases/file_based_energy_pipeline`;
const typed = `${root}use-cases/protobuf_based_energy_pipeline`;
const run = (file: string) => `exec ${JSON.stringify(process.execPath)} ${JSON.stringify(file)}`;

async function start(file: string, env: Readonly<Record<string, string>> = {}) {
  const share = await tempFolder();
  const { url, spawned } = await startProgram(run(file), {
    DATA_DIR: share,
    LOG_LEVEL: "silent",
    GRPC_PORT: "0",
    ...env,
  });
  onTestFinished(() => spawned.close());
  return { url, spawned, share };
}

/** What depends on the data plane; the rest is the same in all services of a pipeline. */
const dataCases = catalogue.filter(({ profile }) => profile === "data-plane" || profile === "isolation");

/** None of their tasks takes long enough to ask anything meanwhile. */
const quick = { ...unhurried, Q05: "untestable" } as const;

describe("our services", () => {
  it("examples/hello.mjs is conformant", async () => {
    const { url, share } = await start(`${root}packages/service-kit/examples/hello.mjs`);
    const csv = Buffer.from("value\n1\n2\n6\n").toString("base64");
    const other = Buffer.from("value\n3\n4\n").toString("base64");
    const manifest = `
methods:
  Mean:
    mode: sequential
    samples:
      a: { inputs: [{ protocol: inline, uri: ${csv}, format: csv }] }
      b: { inputs: [{ protocol: inline, uri: ${other}, format: csv }] }
      fail: { inputs: [{ protocol: inline, uri: !b64 "no column\\n1\\n", format: csv }] }
  Train:
    mode: concurrent
    max-duration: 10s
    samples:
      a: { parameters: { seconds: 0.01 } }
      slow: { parameters: { seconds: 0.22 }, expect-at-least: 2s }
      fail: { parameters: { seconds: "many" } }
`;
    expect(shortcomings(await judge({ url, share, manifest }), quick)).toEqual([]);
  });

  it.each([
    [
      "input_provider",
      // It passes what is not inline on.
      quick,
      `
  GetConfiguration:
    samples:
      a: { inputs: [{ protocol: inline, uri: !json { num_records: 3 }, format: json }] }
      b: { inputs: [{ protocol: inline, uri: !json { num_records: 4 }, format: json }] }
      fail: { inputs: [{ protocol: inline, uri: !b64 "no JSON", format: json }] }
`,
    ],
    [
      "data_generator",
      { ...quick, D05: "untestable", D07: "untestable", D08: "untestable" } as const,
      `
  GenerateData:
    samples:
      a: { parameters: { num_records: 3, seed: 1 } }
      b: { parameters: { num_records: 4, seed: 2 } }
      fail: { parameters: { num_records: "many" } }
`,
    ],
  ])("%s of the file-based energy pipeline is conformant", async (name, exceptions, methods) => {
    const { url, share } = await start(`${useCase}/dist/services/${name}/src/main.js`);
    expect(shortcomings(await judge({ url, share, manifest: `methods:${methods}` }), exceptions)).toEqual([]);
  });

  it("data_analyzer of the file-based energy pipeline is conformant", async () => {
    const { url, share } = await start(`${useCase}/dist/services/data_analyzer/src/main.js`);
    const readings = await readFile(`${useCase}/sample-data/household-energy.csv`, "utf8");
    const lines = readings.split("\n");
    await writeFile(join(share, "a.csv"), `${lines.slice(0, 5).join("\n")}\n`);
    await writeFile(join(share, "b.csv"), `${lines.slice(0, 9).join("\n")}\n`);
    const manifest = `
methods:
  AnalyzeData:
    samples:
      a: { inputs: [{ protocol: file, uri: ${share}/a.csv, format: csv }] }
      b: { inputs: [{ protocol: file, uri: ${share}/b.csv, format: csv }] }
      fail: { inputs: [{ protocol: file, uri: ${share}/none.csv, format: csv }] }
`;
    expect(shortcomings(await judge({ url, share, manifest }), quick)).toEqual([]);
  });

  it("input_provider of the protobuf-based energy pipeline is conformant", async () => {
    const { url, share } = await start(`${typed}/dist/services/input_provider/src/main.js`);
    const manifest = `
methods:
  GetConfiguration:
    samples:
      a: { inputs: [{ protocol: inline, uri: !json { num_records: 3 }, format: json }] }
      b: { inputs: [{ protocol: inline, uri: !json { num_records: 4 }, format: json }] }
      fail: { inputs: [{ protocol: inline, uri: !b64 "no JSON", format: json }] }
`;
    expect(shortcomings(await judge({ url, share, manifest, cases: dataCases }))).toEqual([]);
  });

  it("the services that answer over gRPC are conformant, with each task's own result", async () => {
    const generator = await start(`${typed}/dist/services/data_generator/src/main.js`);
    const analyzer = await start(`${typed}/dist/services/data_analyzer/src/main.js`);
    const reporter = await start(`${typed}/dist/services/report_generator/src/main.js`);
    const generated = await Promise.all(
      [3, 4].map((num_records) => execute(generator.url, "GenerateData", { num_records, seed: 1 })),
    );
    const analyzed = await Promise.all(
      generated.map((input) => execute(analyzer.url, "AnalyzeData", {}, [input])),
    );
    // One of a task that nobody has ever heard of.
    const lost = (reference: Reference): Reference => ({
      ...reference,
      metadata: { ...reference.metadata, workflow_id: "wf-nowhere", task_id: "none", handle: "none" },
    });
    for (const [{ url, share }, cases, exceptions, method, [a, b], fail] of [
      [
        generator,
        catalogue,
        quick,
        "GenerateData",
        [3, 4].map((num_records) => asInput(inline({ num_records, seed: 1 }))),
        { parameters: { num_records: "many" } },
      ],
      [
        analyzer,
        dataCases,
        {},
        "AnalyzeData",
        generated.map(asInput),
        asInput(lost(generated[0] as Reference)),
      ],
      [
        reporter,
        dataCases,
        {},
        "GenerateReport",
        analyzed.map(asInput),
        asInput(lost(analyzed[0] as Reference)),
      ],
    ] as const) {
      const manifest = JSON.stringify({ methods: { [method]: { samples: { a, b, fail } } } });
      const report = await judge({ url, share, manifest, cases });
      expect({ method, shortcomings: shortcomings(report, exceptions) }).toEqual({
        method,
        shortcomings: [],
      });
      const passed = report.results.filter(({ status }) => status === "pass").map((result) => result.case.id);
      // These say nothing where nothing can be compared: that they passed means that messages were read.
      expect(passed).toEqual(expect.arrayContaining(["D10", "I01", "I02"]));
    }
  });
});

/** As much of a DataReference as is passed on here. */
interface Reference {
  protocol: string;
  uri: string;
  format: string;
  metadata?: Record<string, unknown>;
}

const inline = (value: unknown): Reference => ({
  protocol: "inline",
  uri: Buffer.from(JSON.stringify(value)).toString("base64"),
  format: "json",
});

const asInput = (reference: Reference) => ({ inputs: [reference] });

/** The output of one task, sent as an orchestrator sends it. */
async function execute(
  url: string,
  method: string,
  parameters: Record<string, unknown>,
  inputs: readonly Reference[] = [],
): Promise<Reference> {
  const response = await fetch(`${url}/control/execute`, {
    method: "POST",
    body: JSON.stringify({ method, workflow_id: "wf-lab", task_id: randomUUID(), parameters, inputs }),
  });
  const { status, output, error } = (await response.json()) as Record<string, unknown>;
  expect({ method, status, error }).toMatchObject({ method, status: "complete" });
  return output as Reference;
}
