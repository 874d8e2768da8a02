import type { Connection, UseCase } from "../model/use-case.ts";

/** The pipeline's nodes: RPCs of services, by `folder:method`. */
export interface Graph {
  /** Connected RPCs; without any connection, every RPC. In the order of services and their protos. */
  readonly keys: ReadonlySet<string>;
  /** Connections without repetitions, in the order in which they are listed. */
  readonly connections: readonly Connection[];
  /** Connections by the key that they lead to. */
  readonly incoming: ReadonlyMap<string, readonly Connection[]>;
  /** Keys that a key feeds, by key. */
  readonly successors: ReadonlyMap<string, readonly string[]>;
  readonly predecessors: ReadonlyMap<string, readonly string[]>;
}

/** How an RPC of a service is called among the nodes. */
export function toKey(folder: string, method: string): string {
  return `${folder}:${method}`;
}

/** Graphs by use case: every rule asks for the same one. */
const known = new WeakMap<UseCase, Graph>();

/** What feeds what. */
export function toGraph(useCase: UseCase): Graph {
  const graph = known.get(useCase) ?? workOut(useCase);
  known.set(useCase, graph);
  return graph;
}

function workOut({ services, connections }: UseCase): Graph {
  const unique = new Map<string, Connection>();
  const successors = new Map<string, string[]>();
  const predecessors = new Map<string, string[]>();
  const incoming = new Map<string, Connection[]>();
  for (const connection of connections) {
    const { from, to } = endsOf(connection);
    const id = `${from} ${to}`;
    if (unique.has(id)) continue;
    unique.set(id, connection);
    put(successors, from, to);
    put(predecessors, to, from);
    put(incoming, to, connection);
  }
  const all = services.flatMap(({ folder, proto }) =>
    proto.services.flatMap(({ rpcs }) => rpcs.map(({ name }) => toKey(folder, name))),
  );
  const isConnected = (key: string) => successors.has(key) || predecessors.has(key);
  const keys = new Set(connections.length === 0 ? all : all.filter(isConnected));
  return { keys, connections: [...unique.values()], incoming, successors, predecessors };
}

/** The keys of a connection's ends. */
export function endsOf({ from_service, from_method, to_service, to_method }: Connection) {
  return { from: toKey(from_service, from_method), to: toKey(to_service, to_method) };
}

/**
 * What is left of nodes when those that nothing leads to are taken away, again and again, and then
 * those that lead to nothing: all that lies on cycles or between them. Empty where there is none.
 */
export function cyclesIn(
  successors: ReadonlyMap<string, readonly string[]>,
  predecessors: ReadonlyMap<string, readonly string[]>,
): Set<string> {
  const left = new Set([...successors.keys(), ...predecessors.keys()]);
  for (const [inwards, outwards] of [
    [predecessors, successors],
    [successors, predecessors],
  ] as const) {
    const countOf = (key: string) => (inwards.get(key) ?? []).filter((one) => left.has(one)).length;
    const counts = new Map([...left].map((key) => [key, countOf(key)]));
    const queue = [...left].filter((key) => counts.get(key) === 0);
    for (const key of queue) {
      left.delete(key);
      for (const next of outwards.get(key) ?? []) {
        const count = (counts.get(next) ?? 0) - 1;
        counts.set(next, count);
        if (count === 0 && left.has(next)) queue.push(next);
      }
    }
  }
  return left;
}

/** Everything that can be reached along the links, the beginnings included. */
export function reach(
  beginnings: Iterable<string>,
  ...links: readonly ReadonlyMap<string, readonly string[]>[]
): Set<string> {
  const reached = new Set(beginnings);
  // A set that grows while it is walked is walked to its new end.
  for (const key of reached) {
    for (const link of links) for (const next of link.get(key) ?? []) reached.add(next);
  }
  return reached;
}

function put<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
