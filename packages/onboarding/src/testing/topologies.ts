import fc from "fast-check";
import type { GivenUseCase } from "./write-use-case.ts";

/** One node of a random pipeline: what it is called, and how many RPCs its proto has. */
interface RandomNode {
  folder: string;
  rpcs: number;
  /** Both ends of every connection have this structure, under names of their own or not. */
  ownNames: boolean;
}

/** A pipeline without a fault: connections lead from earlier nodes to later ones, and no node is without. */
export interface Topology extends GivenUseCase {
  connections: Record<string, string>[];
  protos: Record<string, string>;
}

/** Random valid use cases of so many services; all of them answer at 127.0.0.1:1, where nothing does. */
export function topologies(most: number): fc.Arbitrary<Topology> {
  const node = fc.record({ rpcs: fc.integer({ min: 1, max: 3 }), ownNames: fc.boolean() });
  const pick = fc.nat({ max: 1_000_000 });
  return fc
    .tuple(fc.array(node, { minLength: 2, maxLength: most, size: "max" }), fc.infiniteStream(pick))
    .map(([given, picks]) => {
      const next = (below: number) => (picks.next().value as number) % below;
      const nodes = given.map((one, index): RandomNode => ({ ...one, folder: `node_${index}` }));
      const connections = new Map<string, Record<string, string>>();
      const connect = (from: number, to: number) => {
        const [giver, taker] = [nodes[from] as RandomNode, nodes[to] as RandomNode];
        const connection = {
          from_service: giver.folder,
          from_method: `Do${next(giver.rpcs)}`,
          to_service: taker.folder,
          to_method: `Do${next(taker.rpcs)}`,
        };
        connections.set(JSON.stringify(connection), connection);
      };
      for (let to = 1; to < nodes.length; to++) {
        // A node without a predecessor among the earlier ones begins; it leads to a later one.
        if (to < nodes.length - 1 && next(8) === 0) connect(to, to + 1 + next(nodes.length - to - 1));
        else for (let times = 1 + next(3); times > 0; times--) connect(next(to), to);
      }
      if (![...connections.values()].some(({ from_service }) => from_service === "node_0")) connect(0, 1);
      const service_mapping = Object.fromEntries(
        nodes.map(({ folder }) => [folder, { ip_address: "127.0.0.1", port: 1 }]),
      );
      return {
        name: "random_use_case",
        protos: Object.fromEntries(nodes.map((one) => [one.folder, protoOf(one)])),
        connections: [...connections.values()],
        pipeline: { service_mapping },
      };
    });
}

function protoOf({ folder, rpcs, ownNames }: RandomNode): string {
  const [input, output] = ownNames ? [`${folder}_in`, `${folder}_out`] : ["Data", "Data"];
  const lines = Array.from({ length: rpcs }, (_, index) => `  rpc Do${index}(${input}) returns (${output});`);
  const messages = [...new Set([input, output])].map((name) => `message ${name} { Unit unit = 1; }`);
  return `syntax = "proto3";\nservice Node {\n${lines.join("\n")}\n}\n${messages.join("\n")}\nmessage Unit { string uri = 1; }\n`;
}
