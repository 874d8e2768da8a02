import type { Problem } from "../../problems/problem.ts";
import type { Rule } from "../check-use-case.ts";
import { reach, toGraph } from "../graph.ts";

/**
 * Where there are connections, every service has one, and where there is a start_service, every
 * service has to do with it. What runs beside the start towards the same end is a warning: it gets
 * the workflow's inputs as well.
 */
export const everythingIsReached: Rule = (useCase) => {
  const { services, connections, also_connected, pipeline } = useCase;
  const connected = new Set(also_connected);
  for (const { from_service, to_service } of connections) connected.add(from_service).add(to_service);
  if (connected.size === 0) return [];
  const problem = (folder: string, found: string, fix: string): Problem => {
    const service = services.find((one) => one.folder === folder);
    return {
      code: "unreachable",
      severity: "error",
      file: service?.proto_file ?? `services/${folder}`,
      line: service?.proto.services[0]?.line,
      message: `Expected the pipeline to lead to ${folder}, found ${found}`,
      fix,
    };
  };
  const alone = services
    .filter(({ folder }) => !connected.has(folder))
    .map(({ folder }) =>
      problem(folder, "no connection to or from it", "Connect it in connections.json, or remove its folder"),
    );
  const { start_service } = pipeline;
  // With connections that are wrong nobody knows what would be reached.
  if (start_service === undefined || hasWrongConnections(also_connected, useCase)) return alone;
  const { successors, predecessors, keys } = toGraph(useCase);
  // What is wrong with a start that takes an output is told by another rule.
  const starts = [...keys].filter((key) => key.startsWith(`${start_service}:`));
  if (starts.every((key) => predecessors.has(key))) return alone;
  const led = foldersOf(reach(starts, successors));
  const around = foldersOf(reach(starts, successors, predecessors));
  const begins = (folder: string) => !connections.some((one) => one.to_service === folder);
  const rest = [...new Set(connections.flatMap((one) => [one.from_service, one.to_service]))].sort();
  return [
    ...alone,
    ...rest
      .filter((folder) => !around.has(folder))
      .map((folder) =>
        problem(
          folder,
          `no way to it from start_service ${start_service}`,
          "Connect the two, take start_service out, or make it a use case of its own",
        ),
      ),
    ...rest
      .filter((folder) => around.has(folder) && !led.has(folder) && begins(folder))
      .map((folder) => ({
        ...problem(
          folder,
          `that it begins by itself beside start_service ${start_service}, with the same inputs of the workflow`,
          "Take start_service out, if that is meant",
        ),
        severity: "warning" as const,
      })),
  ];
};

function hasWrongConnections(also: ReadonlySet<string>, { connections }: Parameters<Rule>[0]): boolean {
  const right = new Set(connections.flatMap(({ from_service, to_service }) => [from_service, to_service]));
  return [...also].some((folder) => !right.has(folder));
}

function foldersOf(keys: ReadonlySet<string>): Set<string> {
  return new Set([...keys].map((key) => key.slice(0, key.indexOf(":"))));
}
