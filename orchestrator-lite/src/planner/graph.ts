import { findCycle } from "./find-cycle.ts";
import { limits } from "./limits.ts";
import type { Blueprint } from "./parse-blueprint.ts";
import type { DocumentProblem } from "./problem.ts";

/** One (container, operation) of a blueprint. */
export interface GraphNode {
  /** `container:operation`. */
  key: string;
  container: string;
  operation: string;
  /** In the order in which the blueprint lists the connections; a connection listed twice counts once. */
  predecessors: number[];
  successors: number[];
}

/** The nodes in blueprint order and their connections, or every reason why they are no pipeline. */
export function toGraph(blueprint: Blueprint): { nodes: GraphNode[]; problems: DocumentProblem[] } {
  const problems: string[] = [];
  const nodes: GraphNode[] = [];
  const indexOf = new Map<string, number>();
  for (const { container, operation } of operationsOf(blueprint)) {
    const key = `${container}:${operation}`;
    if (indexOf.has(key)) problems.push(`node ${key} is listed twice`);
    else indexOf.set(key, nodes.push({ key, container, operation, predecessors: [], successors: [] }) - 1);
  }
  if (nodes.length > limits.nodes)
    return failed([`expected at most ${limits.nodes} nodes, found ${nodes.length}`]);

  let connections = 0;
  const connected = new Set<number>();
  for (const { container, operation, connected_to } of operationsOf(blueprint)) {
    const from = `${container}:${operation}`;
    for (const target of connected_to) {
      if (++connections > limits.connections) {
        return failed([`expected at most ${limits.connections} connections, found more`]);
      }
      const to = `${target.container_name}:${target.operation_signature.operation_name}`;
      const source = indexOf.get(from) as number;
      const sink = indexOf.get(to);
      if (sink === undefined) problems.push(`${from} is connected to ${to}, which is no node`);
      else if (!connected.has(source * nodes.length + sink)) {
        connected.add(source * nodes.length + sink);
        nodes[source]?.successors.push(sink);
        nodes[sink]?.predecessors.push(source);
      }
    }
  }

  const cycle = findCycle(nodes);
  if (cycle !== undefined) problems.push(`the connections form a cycle: ${printCycle(cycle)}`);
  if (nodes.every(({ predecessors }) => predecessors.length > 0)) {
    problems.push("no start node: every node has a predecessor");
  }
  return problems.length > 0 ? failed(problems) : { nodes, problems: [] };
}

function* operationsOf(blueprint: Blueprint) {
  for (const { container_name, operation_signature_list } of blueprint.nodes) {
    for (const { operation_signature, connected_to } of operation_signature_list) {
      yield { container: container_name, operation: operation_signature.operation_name, connected_to };
    }
  }
}

function printCycle(cycle: readonly GraphNode[]): string {
  const keys = cycle.map(({ key }) => key);
  const shown = keys.length > 20 ? [...keys.slice(0, 19), `(${keys.length - 19} more)`] : keys;
  return [...shown, keys[0]].join(" -> ");
}

function failed(messages: string[]) {
  return {
    nodes: [],
    problems: messages.map((message): DocumentProblem => ({ document: "blueprint", at: "", message })),
  };
}
