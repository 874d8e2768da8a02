import { expect, it } from "vitest";
import { flowOrder } from "./flow-order.ts";

function flow(edges: readonly [number, number][], count: number) {
  const signature = { operation_name: "Go" };
  return {
    nodes: Array.from({ length: count }, (_, node) => ({
      container_name: `n${node}`,
      operation_signature_list: [
        {
          operation_signature: signature,
          connected_to: edges
            .filter(([from]) => from === node)
            .map(([, to]) => ({ container_name: `n${to}`, operation_signature: signature })),
        },
      ],
    })),
  };
}

// All graphs of four nodes without a cycle: edges from lower to higher, under all names.
const forward: [number, number][] = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
];
const names = permutations([0, 1, 2, 3]);

it("puts every node once, behind all that it waits for", () => {
  for (let subset = 0; subset < 2 ** forward.length; subset += 1) {
    for (const name of names) {
      const edges = forward
        .filter((_, index) => (subset >> index) & 1)
        .map(([from, to]): [number, number] => [name[from] ?? 0, name[to] ?? 0]);
      const order = flowOrder(flow(edges, 4));
      expect([...order].sort()).toEqual(["n0:Go", "n1:Go", "n2:Go", "n3:Go"]);
      const broken = edges.filter(([from, to]) => order.indexOf(`n${from}:Go`) > order.indexOf(`n${to}:Go`));
      expect(broken).toEqual([]);
    }
  }
});

it("leaves out what lies on a cycle", () => {
  expect(
    flowOrder(
      flow(
        [
          [0, 1],
          [1, 2],
          [2, 1],
        ],
        3,
      ),
    ),
  ).toEqual(["n0:Go"]);
});

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}
