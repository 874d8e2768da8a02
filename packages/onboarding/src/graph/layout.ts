import type { ReadBlueprint } from "../model/blueprint.ts";

/** What a drawing needs of a blueprint. */
export type DrawnBlueprint = Pick<ReadBlueprint, "name" | "nodes">;

/** One operation of a pipeline, with its place in the drawing. */
export interface GraphNode {
  /** `container:operation`. */
  id: string;
  container: string;
  operation: string;
  /** DataSource, MLModel, DataSink, or whatever the blueprint says. */
  type: string;
  /** How many steps it is from the start, at most. */
  column: number;
  row: number;
}

/** A pipeline as operations and what flows between them. */
export interface Graph {
  name: string;
  nodes: readonly GraphNode[];
  /** Ids, and the message that flows. */
  edges: readonly { from: string; to: string; message: string }[];
}

/** Lays a blueprint out in columns, from sources to sinks. What lies on a circle is put behind the rest. */
export function layOut({ name, nodes }: DrawnBlueprint): Graph {
  const edges = nodes.flatMap(({ container_name, operation_signature_list }) =>
    operation_signature_list.flatMap(({ connected_to, operation_signature: signature }) =>
      connected_to.map((next) => ({
        from: `${container_name}:${signature.operation_name}`,
        to: `${next.container_name}:${next.operation_signature.operation_name}`,
        message: signature.output_message_name ?? "",
      })),
    ),
  );
  const all = nodes.flatMap(({ container_name: container, node_type: type, operation_signature_list }) =>
    operation_signature_list.map(({ operation_signature: { operation_name: operation } }) => ({
      id: `${container}:${operation}`,
      container,
      operation,
      type,
    })),
  );
  const columns = columnsOf(
    all.map(({ id }) => id),
    edges,
  );
  const rows = new Map<number, number>();
  return {
    name,
    edges,
    nodes: all.map((node) => {
      const column = columns.get(node.id) ?? 0;
      const row = rows.get(column) ?? 0;
      rows.set(column, row + 1);
      return { ...node, column, row };
    }),
  };
}

/** The longest way from a start to each, by taking away what nothing leads to any more. */
function columnsOf(ids: readonly string[], edges: Graph["edges"]): Map<string, number> {
  const columns = new Map(ids.map((id) => [id, 0]));
  const before = new Map(ids.map((id) => [id, 0]));
  const after = new Map<string, string[]>();
  for (const { from, to } of edges) {
    if (!columns.has(from) || !columns.has(to)) continue;
    before.set(to, (before.get(to) ?? 0) + 1);
    after.set(from, [...(after.get(from) ?? []), to]);
  }
  const ready = ids.filter((id) => before.get(id) === 0);
  let last = 0;
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    const column = columns.get(id) ?? 0;
    last = Math.max(last, column);
    for (const next of after.get(id) ?? []) {
      columns.set(next, Math.max(columns.get(next) ?? 0, column + 1));
      const left = (before.get(next) ?? 0) - 1;
      before.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  for (const id of ids) if ((before.get(id) ?? 0) > 0) columns.set(id, last + 1);
  return columns;
}
