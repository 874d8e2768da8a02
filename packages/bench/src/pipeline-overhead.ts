import { Agent } from "node:http";
import { createOrchestrator } from "@aieffect/orchestrator-lite";
import { startServer } from "./child-server.ts";
import { type Bench, median } from "./figure.ts";
import { post } from "./post.ts";

const containers = ["one1", "two1", "three1", "four1"];
const operation = "Noop";
const warmUps = 300;
const rounds = 500;

/** Wall time of a workflow of four no-op tasks, from submit until it is known to have ended, over four bare calls. */
export const pipelineOverhead: Bench = {
  name: "pipeline-overhead",
  about: "ms of a chain of four no-op tasks, against the same four calls made with bare node:http",
  async run(report) {
    const server = await startServer("kit");
    const orchestrator = await createOrchestrator({ listen: false });
    const agent = new Agent({ keepAlive: true });
    const submission = describeChain(server.url);
    let serial = 0;

    async function direct(): Promise<number> {
      const began = performance.now();
      for (const container of containers) {
        const call = {
          method: operation,
          workflow_id: `wf-${serial}`,
          task_id: `${container}-${serial++}`,
          inputs: [],
        };
        await post(agent, `${server.url}/control/execute`, JSON.stringify(call));
      }
      return performance.now() - began;
    }
    async function orchestrated(): Promise<number> {
      const began = performance.now();
      const { workflow_id } = await orchestrator.submit(submission);
      const { status, error } = await orchestrator.wait(workflow_id);
      if (status !== "completed")
        throw new Error(`Expected the workflow to be completed, found ${status}: ${error}`);
      return performance.now() - began;
    }

    const directTimes: number[] = [];
    const orchestratedTimes: number[] = [];
    try {
      for (let round = -warmUps; round < rounds; round++) {
        const [a, b] = [await direct(), await orchestrated()];
        if (round < 0) continue;
        directTimes.push(a);
        orchestratedTimes.push(b);
      }
    } finally {
      agent.destroy();
      await orchestrator.close();
      await server.stop();
    }
    const [calls, workflow] = [median(directTimes), median(orchestratedTimes)];
    report({ metric: "four raw calls", value: calls, unit: "ms", baseline: null, ratio: null });
    report({
      metric: "workflow of four",
      value: workflow,
      unit: "ms",
      baseline: "raw calls",
      ratio: workflow / calls,
    });
  },
};

function describeChain(url: string) {
  const { hostname, port } = new URL(url);
  const nodes = containers.map((container_name, index) => ({
    container_name,
    proto_uri: `microservice/${container_name}.proto`,
    image: "noop:latest",
    node_type: "MLModel",
    operation_signature_list: [
      {
        operation_signature: { operation_name: operation },
        connected_to: containers
          .slice(index + 1, index + 2)
          .map((next) => ({ container_name: next, operation_signature: { operation_name: operation } })),
      },
    ],
  }));
  const header = {
    name: "chain",
    pipeline_id: "chain",
    creation_date: "2026-01-01",
    type: "pipeline-topology/v2",
    version: "2.0",
  };
  const docker_info_list = containers.map((container_name) => ({
    container_name,
    ip_address: hostname,
    port,
  }));
  return { blueprint: { ...header, nodes }, dockerinfo: { docker_info_list } };
}
