/** Pipelines that mix services of the kit with services as they are deployed in Python. */
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createInlineReference } from "@aieffect/control-interface";
import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";
import { needs, tempFolder } from "@aieffect/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { createOrchestrator } from "./create-orchestrator.ts";

const python = ["python3", "python"].find((name) => spawnSync(name, ["--version"]).status === 0);

/** Starts the Python service on a free port. */
async function startPython(): Promise<number> {
  const file = fileURLToPath(new URL("./testing/python_service.py", import.meta.url));
  const child = spawn(python as string, [file], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  return new Promise((resolve, reject) => {
    child.stdout.once("data", (line) => resolve(Number(line)));
    child.once("exit", (code) => reject(new Error(`The Python service ended with ${code}`)));
  });
}

/** Starts a service of the kit that doubles every value of a CSV. */
async function startKit(): Promise<number> {
  const double = defineOperation({
    name: "Double",
    async run({ inputs, publish }) {
      const [header, ...values] = ((await inputs[0]?.text()) ?? "").trim().split("\n");
      return publish([header, ...values.map((value) => Number(value) * 2)].join("\n"), { format: "csv" });
    },
  });
  const service = sequentialService({
    operations: [double],
    data_dir: await tempFolder(),
    log_level: "silent",
  });
  const { port, close } = await serve(service, { host: "127.0.0.1", port: 0, handle_signals: false });
  onTestFinished(close);
  return port;
}

function describeJoin(pythonPort: number, kitPort: number) {
  const node = (container_name: string, operation_name: string, next: [string, string][]) => ({
    container_name,
    node_type: "MLModel",
    operation_signature_list: [
      {
        operation_signature: { operation_name },
        connected_to: next.map(([container, operation]) => ({
          container_name: container,
          operation_signature: { operation_name: operation },
        })),
      },
    ],
  });
  const nodes = [
    node("loader1", "Load", [
      ["doubler1", "Double"],
      ["summer1", "Total"],
    ]),
    node("doubler1", "Double", [["summer1", "Total"]]),
    node("summer1", "Total", []),
  ];
  const address = (container_name: string, port: number) => ({
    container_name,
    ip_address: "127.0.0.1",
    port: String(port),
  });
  return {
    blueprint: { name: "mixed", pipeline_id: "mixed", nodes },
    dockerinfo: {
      docker_info_list: [
        address("loader1", pythonPort),
        address("doubler1", kitPort),
        address("summer1", pythonPort),
      ],
    },
  };
}

describe.skipIf(needs("Python", python))("services as they are deployed in Python", () => {
  it("and services of the kit work in one pipeline, each fetching the other's data", async () => {
    const documents = describeJoin(await startPython(), await startKit());
    const orchestrator = await createOrchestrator({ listen: false });
    onTestFinished(() => orchestrator.close());
    const sums = [3, 5, 8].map(async (rows) => {
      const inputs = [createInlineReference(JSON.stringify({ rows }), "json")];
      const { workflow_id } = await orchestrator.submit({ ...documents, inputs });
      const { status, error } = await orchestrator.wait(workflow_id);
      expect({ status, error }).toEqual({ status: "completed", error: null });
      const last = (await orchestrator.tasks(workflow_id)).at(-1);
      const [output] = last?.output_refs ?? [];
      expect(output?.metadata).toEqual({ made_by: "python" });
      return JSON.parse(Buffer.from(output?.uri ?? "", "base64").toString());
    });
    // Once as they are, once doubled: 3 * (0 + 1 + 2), and so on.
    expect(await Promise.all(sums)).toEqual([{ sum: 9 }, { sum: 30 }, { sum: 84 }]);
  });
});
