/** A blueprint of edges `[from, to]` between nodes written `container:operation`; nodes in the order given. */
export function blueprintOf(nodes: readonly string[], edges: readonly (readonly [string, string])[] = []) {
  return {
    name: "Test",
    pipeline_id: "00000000-0000-4000-8000-000000000000",
    creation_date: "2026-01-01 00:00:00",
    type: "pipeline-topology/v2",
    version: "2.0",
    nodes: nodes.map((node) => {
      const [container_name, operation_name] = split(node);
      return {
        container_name,
        proto_uri: `microservice/${container_name}.proto`,
        image: `${container_name}:latest`,
        node_type: "MLModel",
        operation_signature_list: [
          {
            operation_signature: { operation_name, input_message_name: "", output_message_name: "" },
            connected_to: edges.filter(([from]) => from === node).map(([, to]) => toConnection(to)),
          },
        ],
      };
    }),
  };
}

/** A dockerinfo that has every container of the nodes at one port of this machine. */
export function dockerinfoOf(nodes: readonly string[], portOf: number | ((container: string) => number)) {
  const containers = [...new Set(nodes.map((node) => split(node)[0]))];
  return {
    docker_info_list: containers.map((container_name) => ({
      container_name,
      ip_address: "127.0.0.1",
      port: String(typeof portOf === "number" ? portOf : portOf(container_name)),
    })),
  };
}

/** Nodes that follow one another. */
export function chainOf(...nodes: string[]) {
  return blueprintOf(
    nodes,
    nodes.slice(1).map((to, index) => [nodes[index] as string, to] as const),
  );
}

/** A submission of a chain whose services listen on one port. */
export function chainSubmission(port: number, ...nodes: string[]) {
  return { blueprint: chainOf(...nodes), dockerinfo: dockerinfoOf(nodes, port) };
}

function split(node: string): [container: string, operation: string] {
  const [container = "", operation = ""] = node.split(":");
  return [container, operation];
}

function toConnection(node: string) {
  const [container_name, operation_name] = split(node);
  return { container_name, operation_signature: { operation_name } };
}
