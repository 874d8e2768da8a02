import type { UseCaseService } from "../../model/use-case.ts";
import type { Problem } from "../../problems/problem.ts";
import type { Rpc } from "../../proto/proto.ts";
import type { Rule } from "../check-use-case.ts";
import { exportProtos } from "../export-protos.ts";
import { endsOf, toGraph } from "../graph.ts";
import { compareMessages } from "../structure.ts";

/**
 * The designer draws a line only where the output message of one end is the input message of the
 * other. Another structure is an error, another name for the same structure a warning; with
 * `align` neither is in the way, as long as the exported copies can be aligned.
 */
export const messagesMatch: Rule = (useCase, { align }) => {
  const graph = toGraph(useCase);
  const services = new Map(useCase.services.map((service) => [service.folder, service]));
  const problems = graph.connections.flatMap((connection): Problem[] => {
    const from = services.get(connection.from_service);
    const to = services.get(connection.to_service);
    const [output, input] = [findRpc(from, connection.from_method), findRpc(to, connection.to_method)];
    if (from === undefined || to === undefined || output === undefined || input === undefined) return [];
    if (output.output_type === undefined || input.input_type === undefined) return [];
    const difference = compareMessages(
      { proto: from.proto, full_name: output.output_type },
      { proto: to.proto, full_name: input.input_type },
    );
    const { from: giver, to: taker } = endsOf(connection);
    const names = `${giver} gives ${output.output}, ${taker} takes ${input.input}`;
    const problem = (
      severity: Problem["severity"],
      expected: string,
      found: string,
      fix: string,
    ): Problem => ({
      code: "message-mismatch",
      severity,
      file: "connections.json",
      line: connection.line,
      message: `Expected ${expected}, found ${found}: ${names}`,
      fix,
    });
    const found: Problem[] = [];
    if (difference.structure !== undefined) {
      found.push(
        problem(
          align ? "warning" : "error",
          "the output of one end to have the structure of the other's input",
          difference.structure,
          align
            ? "The exported copy takes what it is sent; see whether the service does"
            : `Change one of the messages (${from.proto_file}:${output.line}, ${to.proto_file}:${input.line}), or export with --align`,
        ),
      );
    } else {
      const [given, taken] = [shortName(output.output), shortName(input.input)];
      if (!align && given !== taken)
        found.push(
          problem(
            "warning",
            "both ends to call their message the same",
            "two names",
            "Export with --align, or rename one, if the designer does not draw the line",
          ),
        );
      if (difference.names !== undefined)
        found.push(
          problem(
            "warning",
            "fields to have the same names at both ends",
            difference.names,
            "Rename one, unless only numbers count for the two services",
          ),
        );
    }
    if (output.output_stream !== input.input_stream)
      found.push(
        problem(
          "warning",
          "both ends to stream, or neither",
          output.output_stream ? "a stream that ends in a single message" : "a single message into a stream",
          "Write or leave out stream in one of the two rpcs, if the designer does not draw the line",
        ),
      );
    return found;
  });
  return align ? [...problems, ...exportProtos(useCase, graph, { align }).problems] : problems;
};

function findRpc(service: UseCaseService | undefined, method: string): Rpc | undefined {
  return service?.proto.services.flatMap(({ rpcs }) => rpcs).find(({ name }) => name === method);
}

function shortName(name: string): string {
  return name.split(".").at(-1) ?? name;
}
