import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { judge, shortcomings, unhurried } from "./judge.ts";
import { startProgram } from "./start-program.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const useCase = `${root}use-cases/file_based_energy_pipeline`;
const run = (file: string) => `exec ${JSON.stringify(process.execPath)} ${JSON.stringify(file)}`;

async function start(file: string, env: Readonly<Record<string, string>> = {}) {
  const share = await tempFolder();
  const { url, spawned } = await startProgram(run(file), {
    DATA_DIR: share,
    LOG_LEVEL: "silent",
    ...env,
  });
  onTestFinished(() => spawned.close());
  return { url, spawned, share };
}

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
});
