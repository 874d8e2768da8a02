import { checkReference, type DataReference } from "@aieffect/control-interface";
import type { RetryPolicy } from "../core/failure.ts";
import type { NodeSpec, WorkflowSpec } from "../core/spec.ts";
import { type GraphNode, toGraph } from "./graph.ts";
import type { HostJudge } from "./judge-host.ts";
import { parseBlueprint } from "./parse-blueprint.ts";
import { type Addresses, parseDockerinfo } from "./parse-dockerinfo.ts";
import type { ParsedSubmission } from "./parse-submission.ts";
import { type DocumentName, type DocumentProblem, InvalidDocumentError } from "./problem.ts";
import { showValue } from "./shape.ts";

/** What applies where a submission says nothing. */
export interface PlanDefaults {
  task_timeout_s: number;
  workflow_timeout_s: number | null;
  retry: RetryPolicy;
  /** Which hosts a dockerinfo may name. */
  judgeHost: HostJudge;
  traceparent: string;
}

/** Turns a submission into what runs. Pure. @throws InvalidDocumentError with every problem of every document */
export function planWorkflow(submission: ParsedSubmission, defaults: PlanDefaults): WorkflowSpec {
  const { blueprint, problems: inBlueprint } = parseBlueprint(submission.blueprint);
  const graph = blueprint === undefined ? { nodes: [], problems: inBlueprint } : toGraph(blueprint);
  const { addresses, problems: inDockerinfo } = parseDockerinfo(submission.dockerinfo, defaults.judgeHost);
  const inputs = readInputs(submission.inputs);
  const problems = [
    ...graph.problems,
    ...inDockerinfo,
    ...(addresses === undefined ? [] : everyContainerIsListed(graph.nodes, addresses)),
    ...inputs.problems,
    ...(graph.problems.length > 0
      ? []
      : [
          ...everyKeyIsANode("parameters", submission.parameters, graph.nodes),
          ...everyKeyIsANode("nodes", submission.nodes, graph.nodes),
        ]),
  ];
  if (problems.length > 0 || blueprint === undefined || addresses === undefined) {
    throw new InvalidDocumentError(problems);
  }
  return {
    name: blueprint.name,
    nodes: graph.nodes.map((node) => toNodeSpec(node, submission, addresses, defaults)),
    inputs: inputs.references,
    timeout_s: submission.timeout_s ?? defaults.workflow_timeout_s,
    correlation_id: submission.correlation_id ?? null,
    labels: submission.labels,
    traceparent: defaults.traceparent,
  };
}

function toNodeSpec(
  { key, container, operation, predecessors, successors }: GraphNode,
  { parameters, nodes }: ParsedSubmission,
  addresses: Addresses,
  { task_timeout_s, retry }: PlanDefaults,
): NodeSpec {
  const own = Object.hasOwn(nodes, key) ? nodes[key] : undefined;
  return {
    key,
    operation,
    address: addresses.get(container) as string,
    predecessors,
    successors,
    // A copy: what the caller does with its object later changes nothing here.
    ...(Object.hasOwn(parameters, key) && {
      parameters: structuredClone(parameters[key]) as Record<string, unknown>,
    }),
    timeout_s: own?.timeout_s ?? task_timeout_s,
    retry: {
      attempts: own?.retry?.attempts ?? retry.attempts,
      backoff_s: own?.retry?.backoff_s ?? retry.backoff_s,
      on: own?.retry?.on ?? retry.on,
    },
  };
}

function everyContainerIsListed(nodes: readonly GraphNode[], addresses: Addresses): DocumentProblem[] {
  const containers = new Set(nodes.map(({ container }) => container));
  return [...containers]
    .filter((container) => !addresses.has(container))
    .map((container) => ({
      document: "dockerinfo",
      at: "docker_info_list",
      message: `expected the container ${showValue(container)} of the blueprint, found it nowhere`,
    }));
}

function everyKeyIsANode(
  document: DocumentName,
  given: Readonly<Record<string, unknown>>,
  nodes: readonly GraphNode[],
): DocumentProblem[] {
  const keys = new Set(nodes.map(({ key }) => key));
  return Object.keys(given)
    .filter((key) => !keys.has(key))
    .map((key) => ({
      document,
      at: "",
      message: `expected a node of the blueprint (container:operation), found ${showValue(key)}`,
    }));
}

/** The references as the deployed orchestrator reads them (R-REF-17); `metadata: null` is forgiven (R-REF-14). */
function readInputs(inputs: readonly unknown[]): {
  references: DataReference[];
  problems: DocumentProblem[];
} {
  const checked = inputs.map((input) => checkReference(input, { null_metadata: true }));
  return {
    references: checked.flatMap(({ reference }) => reference ?? []),
    problems: checked.flatMap(({ problems }, index) =>
      problems.map(({ field, message, rule }) => ({
        document: "inputs" as const,
        at: `inputs[${index}]${field === "" ? "" : `.${field}`}`,
        message: `${message} (${rule})`,
      })),
    ),
  };
}
