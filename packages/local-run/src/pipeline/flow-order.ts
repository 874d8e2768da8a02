/** As much of a blueprint as tells who follows whom. */
export interface Flow {
  nodes: readonly {
    container_name: string;
    operation_signature_list: readonly {
      operation_signature: { operation_name: string };
      connected_to?: readonly { container_name: string; operation_signature: { operation_name: string } }[];
    }[];
  }[];
}

/**
 * The keys (`container:operation`) of a blueprint's nodes in an order in which they can run, to show
 * them in; a blueprint itself lists them by name. Nodes on a cycle are left out.
 */
export function flowOrder({ nodes }: Flow): string[] {
  const followers = new Map<string, string[]>();
  for (const { container_name, operation_signature_list } of nodes) {
    for (const { operation_signature, connected_to = [] } of operation_signature_list) {
      followers.set(
        toKey(container_name, operation_signature),
        connected_to.map((next) => toKey(next.container_name, next.operation_signature)),
      );
    }
  }
  const waitsFor = new Map([...followers.keys()].map((key) => [key, 0]));
  for (const next of [...followers.values()].flat()) waitsFor.set(next, (waitsFor.get(next) ?? 0) + 1);
  const order = [...waitsFor].filter(([, count]) => count === 0).map(([key]) => key);
  for (const key of order) {
    for (const next of followers.get(key) ?? []) {
      const left = (waitsFor.get(next) ?? 0) - 1;
      waitsFor.set(next, left);
      if (left === 0) order.push(next);
    }
  }
  return order;
}

function toKey(container_name: string, { operation_name }: { operation_name: string }): string {
  return `${container_name}:${operation_name}`;
}
