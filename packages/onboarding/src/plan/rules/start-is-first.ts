import type { Rule } from "../check-use-case.ts";
import { toGraph } from "../graph.ts";

/** The service that connections.json begins with has an RPC that takes no other's output. */
export const startIsFirst: Rule = (useCase) => {
  const { start_service, start_line } = useCase.pipeline;
  const { keys, predecessors } = toGraph(useCase);
  const own = [...keys].filter((key) => start_service !== undefined && key.startsWith(`${start_service}:`));
  const feeding = own.map((key) => predecessors.get(key)?.[0]);
  if (own.length === 0 || feeding.includes(undefined)) return [];
  return [
    {
      code: "start",
      severity: "error",
      file: "connections.json",
      line: start_line,
      message: `Expected start_service to take no other's output, found ${feeding[0]} -> ${own[0]}`,
      fix: "Name the service that the pipeline begins with, or take the connection out",
    },
  ];
};
