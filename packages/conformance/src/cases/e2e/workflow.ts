/** Runs real workflows: blueprint and dockerinfo in memory, the reference orchestrator in this process. */
import type { DataReference } from "@aieffect/control-interface";
import { createOrchestrator, type TaskView, type WorkflowView } from "@aieffect/orchestrator-lite";
import type { CaseContext } from "../../engine/context.ts";

/** One node of a workflow; all of them are the service under test. */
interface Node {
  /** The container's name, which tells nodes of one method apart. */
  name: string;
  method: string;
  parameters?: Readonly<Record<string, unknown>> | undefined;
  /** Names of the nodes that get its result. */
  to?: readonly string[];
}

/** What became of a workflow. */
export interface Outcome {
  /** Undefined when it had not ended in time. */
  status: WorkflowView["status"] | undefined;
  error: string | null;
  /** By name of the node. */
  tasks: Readonly<Record<string, TaskView>>;
  /** What it did, one change a line. */
  story: string;
}

/** How a workflow is run. */
export interface WorkflowOptions {
  nodes: readonly Node[];
  /** Of the nodes that no other feeds. */
  inputs: readonly Readonly<Record<string, unknown>>[];
  /** It is given up then. */
  timeout_ms: number;
}

/** Runs workflows at the same time on one orchestrator, and tells what became of each. */
export async function runWorkflows(
  t: CaseContext,
  workflows: readonly WorkflowOptions[],
): Promise<Outcome[]> {
  const { hostname, port } = addressOf(t);
  const orchestrator = await createOrchestrator({
    listen: false,
    poll_interval_s: Math.max(0.01, t.settings.poll_interval_ms / 1000),
    call_timeout_s: t.settings.timeout_ms / 1000,
    // The deployed orchestrator does not try again (R-READ-01).
    retry_attempts: 1,
  });
  try {
    return await Promise.all(
      workflows.map(async ({ nodes, inputs, timeout_ms }) => {
        const lines: string[] = [];
        const began = performance.now();
        const { workflow_id } = await orchestrator.submit({
          blueprint: blueprintOf(nodes),
          dockerinfo: {
            docker_info_list: nodes.map(({ name }) => ({
              container_name: name,
              ip_address: hostname,
              port,
            })),
          },
          inputs: inputs as unknown as readonly DataReference[],
          parameters: Object.fromEntries(
            nodes.flatMap((node) =>
              node.parameters === undefined ? [] : [[`${node.name}:${node.method}`, node.parameters]],
            ),
          ),
          ...(t.token !== undefined && { services_api_key: t.token }),
        });
        const unwatch = orchestrator.watch(workflow_id, (change) => {
          const at = `${Math.round(performance.now() - began)} ms`;
          lines.push(
            change.kind === "task"
              ? `${at}: ${tell(change.task)}`
              : `${at}: workflow ${change.workflow.status}`,
          );
        });
        const view = await orchestrator
          .wait(workflow_id, { signal: AbortSignal.timeout(timeout_ms) })
          .catch(() => undefined);
        unwatch();
        const tasks = await orchestrator.tasks(workflow_id);
        return {
          status: view?.status,
          error: view?.error ?? null,
          tasks: Object.fromEntries(tasks.map((task) => [task.node_key.split(":")[0] ?? "", task])),
          story: lines.join("; "),
        };
      }),
    );
  } finally {
    await orchestrator.close();
  }
}

/** Runs one. */
export async function runWorkflow(t: CaseContext, options: WorkflowOptions): Promise<Outcome> {
  const [outcome] = await runWorkflows(t, [options]);
  return outcome as Outcome;
}

/** What a workflow came to, in a sentence. */
export function told({ status, error, story }: Outcome): string {
  const end = status === undefined ? "a workflow that did not end" : `a workflow that is ${status}`;
  return `${end}${error === null ? "" : `: ${error}`} (${story || "nothing happened"})`;
}

/** Checks that a workflow completed. */
export function requireCompleted(t: CaseContext, outcome: Outcome): void {
  t.require(outcome.status === "completed", outcome.status === undefined ? "E_STUCK" : "E_WORKFLOW_FAILED", {
    expected: "a workflow that completes, because its calls do by hand",
    found: told(outcome),
  });
}

/** Host and port, which is all that a dockerinfo can say. */
function addressOf(t: CaseContext): { hostname: string; port: string } {
  const { protocol, hostname, port, pathname } = new URL(t.base_url);
  if (protocol !== "http:" || pathname !== "/") {
    t.untestable(
      `the orchestrator calls http://host:port without a path; give such a URL instead of ${t.base_url}`,
    );
  }
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: port || "80" };
}

function blueprintOf(nodes: readonly Node[]) {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const signature = (node: Node) => ({ operation_signature: { operation_name: node.method } });
  const fed = new Set(nodes.flatMap(({ to = [] }) => to));
  return {
    name: "Conformance",
    pipeline_id: "conformance",
    nodes: nodes.map((node) => ({
      container_name: node.name,
      node_type: fed.has(node.name) ? "DataSink" : "DataSource",
      operation_signature_list: [
        {
          ...signature(node),
          connected_to: (node.to ?? []).flatMap((name) => {
            const next = byName.get(name);
            return next === undefined ? [] : [{ container_name: name, ...signature(next) }];
          }),
        },
      ],
    })),
  };
}

function tell({ node_key, status, progress, error, output_refs: [output] }: TaskView): string {
  const more = [
    progress === undefined || status !== "running" ? "" : ` ${progress} %`,
    error === null ? "" : `: ${error}`,
    output === undefined ? "" : `, output ${output.protocol} ${output.uri.slice(0, 80)}`,
  ];
  return `${node_key} ${status}${more.join("")}`;
}
