import type { UseCaseService } from "../../model/use-case.ts";
import type { Problem } from "../../problems/problem.ts";
import type { Rule } from "../check-use-case.ts";
import { type Graph, toGraph, toKey } from "../graph.ts";

/** What the older AI4EU designer does not read. */
export const strictProfile: Rule = (useCase, { profile }) => {
  if (profile !== "ai4eu-strict") return [];
  const graph = toGraph(useCase);
  return useCase.services.flatMap((service) => [...inProto(service), ...atStart(service, graph)]);
};

function inProto({ proto, proto_file }: UseCaseService): Problem[] {
  const { package_line, enum_lines } = proto;
  const problem = (line: number | undefined, found: string, fix: string): Problem => ({
    code: "strict",
    severity: "error",
    file: proto_file,
    line,
    message: `Expected what the profile ai4eu-strict allows, found ${found}`,
    fix,
  });
  return [
    ...(proto.package === undefined
      ? []
      : [problem(package_line, `package ${proto.package}`, "Take the package out")]),
    ...proto.imports.map(({ path, line }) =>
      problem(line, `import "${path}"`, "Declare the messages in the file itself"),
    ),
    ...enum_lines.map(([name, line]) => problem(line, `enum ${name}`, "Make its fields int32 or string")),
    ...proto.services
      .slice(1)
      .map(({ name, line }) => problem(line, `a second service, ${name}`, "Put all RPCs into one service")),
    ...proto.services.flatMap(({ rpcs }) =>
      rpcs
        .filter(({ has_body }) => has_body)
        .map(({ name, line }) => problem(line, `braces after rpc ${name}`, "End the rpc with a semicolon")),
    ),
  ];
}

function atStart({ folder, proto, proto_file }: UseCaseService, { keys, predecessors }: Graph): Problem[] {
  return proto.services
    .flatMap(({ rpcs }) => rpcs)
    .filter(({ name }) => keys.has(toKey(folder, name)) && !predecessors.has(toKey(folder, name)))
    .filter(({ input, input_type }) => {
      const isEmpty = proto.messages.get(input_type ?? "")?.fields.length === 0;
      return input.split(".").at(-1) !== "Empty" || !isEmpty;
    })
    .map(({ name, line, input }) => ({
      code: "strict",
      severity: "error",
      file: proto_file,
      line,
      message: `Expected a start node to take Empty, found that rpc ${name} takes ${input}`,
      fix: "Declare message Empty {} and let the rpc take it",
    }));
}
