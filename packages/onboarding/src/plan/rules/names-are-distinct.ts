import type { UseCaseService } from "../../model/use-case.ts";
import type { Problem } from "../../problems/problem.ts";
import type { Rule } from "../check-use-case.ts";
import { toContainer, toImageName } from "../names.ts";

/** No two services become one file, one image or one operation. */
export const namesAreDistinct: Rule = (useCase) => {
  const { services } = useCase;
  return [
    // Some file systems do not tell capitals from small letters.
    ...groups(services, ({ folder }) => toContainer(folder).toLowerCase()).map(([name, same]) =>
      clash(same[1] as UseCaseService, "error", {
        message: `Expected a file name of its own for every container, found ${name}.proto for ${same.map(({ folder }) => folder).join(" and ")}`,
        fix: "Rename one of the folders",
      }),
    ),
    ...groups(services, (service) => toImageName(useCase, service)).flatMap(([name, sharing]) => {
      const addresses = new Set(sharing.map(({ ip_address, port }) => `${ip_address}:${port}`));
      if (addresses.size === 1) return [];
      return [
        clash(sharing[1] as UseCaseService, "warning", {
          message: `Expected one service at one address, found ${[...addresses].join(" and ")}, which are all the image ${name}`,
          fix: "Give each service an ip_address of its own, unless they are one program",
        }),
      ];
    }),
    ...services.flatMap((service) => {
      const rpcs = service.proto.services.flatMap((one) => one.rpcs);
      return groups(rpcs, ({ name }) => name).map(([name, same]) => ({
        ...clash(service, "error", {
          message: `Expected the RPCs of a node to have names of their own, found ${name} in several services of the proto`,
          fix: "Rename one of them: an operation is called by its name alone",
        }),
        line: same[1]?.line,
      }));
    }),
  ];
};

function clash(
  { proto_file }: UseCaseService,
  severity: Problem["severity"],
  { message, fix }: Pick<Problem, "message" | "fix">,
): Problem {
  return { code: "name-clash", severity, file: proto_file, line: undefined, message, fix };
}

/** What several have in common, with those that have it. */
function groups<T>(all: readonly T[], keyOf: (one: T) => string): [string, T[]][] {
  const byKey = new Map<string, T[]>();
  for (const one of all) byKey.set(keyOf(one), [...(byKey.get(keyOf(one)) ?? []), one]);
  return [...byKey].filter(([, members]) => members.length > 1);
}
