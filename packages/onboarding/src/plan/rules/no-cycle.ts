import type { Rule } from "../check-use-case.ts";
import { cyclesIn, endsOf, reach, toGraph } from "../graph.ts";

/** Every group of nodes that feed each other is one problem. */
export const noCycle: Rule = (useCase) => {
  const graph = toGraph(useCase);
  const { successors, predecessors, connections } = graph;
  const left = cyclesIn(successors, predecessors);
  const problems = [];
  const told = new Set<string>();
  for (const connection of connections) {
    const { from, to } = endsOf(connection);
    if (!left.has(from) || !left.has(to) || told.has(from)) continue;
    const way = shortestWay(to, from, successors);
    if (way === undefined) continue;
    // All that lies on a cycle with this one is told once.
    const ahead = reach([from], successors);
    const behind = reach([from], predecessors);
    for (const key of ahead) if (behind.has(key)) told.add(key);
    problems.push({
      code: "cycle" as const,
      severity: "error" as const,
      file: "connections.json",
      line: connection.line,
      message: `Expected connections that lead from a start to an end, found a cycle: ${show([from, ...way])}`,
      fix: "Take one of its connections out",
    });
  }
  return problems;
};

/** The nodes from one to another, both included. */
function shortestWay(
  from: string,
  to: string,
  successors: ReadonlyMap<string, readonly string[]>,
): string[] | undefined {
  const before = new Map<string, string | undefined>([[from, undefined]]);
  for (const key of before.keys()) {
    if (key === to) {
      const way: string[] = [];
      for (let at: string | undefined = key; at !== undefined; at = before.get(at)) way.unshift(at);
      return way;
    }
    for (const next of successors.get(key) ?? []) if (!before.has(next)) before.set(next, key);
  }
  return undefined;
}

function show(keys: readonly string[]): string {
  const shown =
    keys.length > 12 ? [...keys.slice(0, 11), `... (${keys.length - 12} more)`, ...keys.slice(-1)] : keys;
  return shown.join(" -> ");
}
