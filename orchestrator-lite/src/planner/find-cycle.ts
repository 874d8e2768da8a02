/** What is needed of a node to find a cycle. */
export interface Linked {
  readonly predecessors: readonly number[];
  readonly successors: readonly number[];
}

/** The nodes of one cycle in the order of their connections, from the one listed first, or undefined when there is none. */
export function findCycle<Node extends Linked>(nodes: readonly Node[]): Node[] | undefined {
  const missing = nodes.map(({ predecessors }) => predecessors.length);
  const done = nodes.flatMap((_node, index) => (missing[index] === 0 ? [index] : []));
  // `done` grows while it is walked.
  for (const index of done) {
    for (const successor of nodes[index]?.successors ?? []) {
      missing[successor] = (missing[successor] as number) - 1;
      if (missing[successor] === 0) done.push(successor);
    }
  }
  let at = missing.findIndex((count) => count > 0);
  if (at === -1) return undefined;
  // Every node left has a predecessor that is left too: walking back has to come by a node again.
  const trail: number[] = [];
  const seen = new Map<number, number>();
  while (!seen.has(at)) {
    seen.set(at, trail.push(at) - 1);
    at = nodes[at]?.predecessors.find((index) => (missing[index] as number) > 0) as number;
  }
  const cycle = trail.slice(seen.get(at)).reverse();
  const first = cycle.indexOf(Math.min(...cycle));
  return [...cycle.slice(first), ...cycle.slice(0, first)].map((index) => nodes[index] as Node);
}
