import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planExport, readUseCase, writeExport } from "@aieffect/onboarding";
import { type Bench, median } from "./figure.ts";

const rounds = 5;
const size = 1000;

/** A use case of 1,000 services, from its folder to an export with its archive. */
export const onboarding: Bench = {
  name: "onboarding",
  about: "ms to read, plan and write the export of 1,000 services, zip included; below 2,000 would be good",
  async run(report) {
    const folder = await mkdtemp(join(tmpdir(), "aieffect-bench-"));
    try {
      const use_case = join(folder, "thousand_services");
      await writeUseCase(use_case);
      const times = {
        read: [] as number[],
        plan: [] as number[],
        write: [] as number[],
        whole: [] as number[],
      };
      for (let round = 0; round < rounds; round++) {
        const began = performance.now();
        const read = await readUseCase(use_case);
        const wasRead = performance.now();
        const plan = planExport(read, { align: true });
        const planned = performance.now();
        await writeExport(plan, join(folder, "export"), { overwrite: true, zip: true });
        const ended = performance.now();
        times.read.push(wasRead - began);
        times.plan.push(planned - wasRead);
        times.write.push(ended - planned);
        times.whole.push(ended - began);
      }
      for (const [metric, values] of Object.entries(times)) {
        report({ metric, value: median(values), unit: "ms", baseline: null, ratio: null });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Each service takes what the three before it give; every other one has a name of its own for it. */
async function writeUseCase(folder: string): Promise<void> {
  const names = Array.from({ length: size }, (_, index) => `service_${String(index).padStart(4, "0")}`);
  const service_mapping = Object.fromEntries(
    names.map((name) => [name, { ip_address: name.replaceAll("_", "-"), port: 8080 }]),
  );
  const connections = names.flatMap((to_service, index) =>
    names.slice(Math.max(index - 3, 0), index).map((from_service) => ({
      from_service,
      from_method: "Process",
      to_service,
      to_method: "Process",
    })),
  );
  await mkdir(folder, { recursive: true });
  const pipeline = { name: "Thousand services", service_mapping, connections };
  await writeFile(join(folder, "connections.json"), JSON.stringify({ pipeline }, undefined, 2));
  for (const [index, name] of names.entries()) {
    const input = index % 2 === 0 ? "Table" : "Rows";
    const proto = join(folder, "services", name, "proto");
    await mkdir(proto, { recursive: true });
    const table = (message: string) =>
      `message ${message} {\n  repeated Row rows = 1;\n  string unit = 2;\n}\n`;
    await writeFile(
      join(proto, `${name}.proto`),
      `syntax = "proto3";\nservice Node {\n  rpc Process(${input}) returns (Table);\n}\n${[...new Set([input, "Table"])].map(table).join("")}message Row {\n  string time = 1;\n  double value = 2;\n}\n`,
    );
  }
}
