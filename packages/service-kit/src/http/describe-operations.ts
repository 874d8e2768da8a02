import type { OperationsResponse, Protocol } from "@aieffect/control-interface";
import type { Operation, Port } from "../operation.ts";
import type { ResolvedOptions } from "../options.ts";
import { describeParameters, portsOf } from "../tasks/parameters.ts";

/** What the service says of itself (R-OPS-01). */
export function describeOperations(
  operations: ReadonlyMap<string, Operation>,
  { style, uploads }: Pick<ResolvedOptions, "style" | "uploads">,
): OperationsResponse {
  return {
    operations: [...operations.values()].map((operation) => ({
      name: operation.name,
      style: operation.style ?? style,
      sink: operation.sink ?? false,
      parameters: describeParameters(operation),
      inputs: portsOf(operation.input).map(describePort),
      output: describePort(operation.output ?? {}),
    })),
    extensions: [
      "wait",
      "events",
      "idempotency",
      "cancel",
      "ranges",
      ...(uploads === false ? [] : (["upload"] as const)),
    ],
  };
}

function describePort({ protocols = [], formats = [] }: Port): { protocols: Protocol[]; formats: string[] } {
  return { protocols: [...protocols], formats: [...formats] };
}
