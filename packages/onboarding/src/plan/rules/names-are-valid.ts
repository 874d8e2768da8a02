import type { Problem } from "../../problems/problem.ts";
import type { Rule } from "../check-use-case.ts";
import { toImageName } from "../names.ts";
import { isImageName } from "../options.ts";

/** What the names of images are made of can be one. */
export const namesAreValid: Rule = (useCase, { digests }) => {
  const names = new Map(useCase.services.map((service) => [toImageName(useCase, service), service]));
  const invalid = [...names]
    .filter(([name]) => !isImageName(name))
    .map(
      ([name, { folder }]): Problem => ({
        code: "name",
        severity: "error",
        file: "connections.json",
        line: undefined,
        message: `Expected the image of ${folder} to be named with lower-case letters, digits and single separators between them, found "${name}"`,
        fix: "Rename the use case's folder, or the ip_address of the service: the image is named after both",
      }),
    );
  const unknown = Object.keys(digests)
    .filter((name) => !names.has(name))
    .map(
      (name): Problem => ({
        code: "name",
        severity: "error",
        file: "connections.json",
        line: undefined,
        message: `Expected digests of images of the use case, found one of "${name}"; there are ${[...names.keys()].join(", ")}`,
        fix: "Correct the name: it is the image's without registry and tag",
      }),
    );
  return [...invalid, ...unknown];
};
