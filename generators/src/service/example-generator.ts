import { ScaffoldError } from "../errors.ts";
import { type Generator, type GeneratorContext, textOf } from "../generator.ts";
import { assertName, serviceNameProblem, shown } from "../names.ts";
import type { Template } from "../templates/templates.ts";
import { packageManagers } from "./package-manager.ts";
import { renderExample } from "./render-example.ts";
import { assertEmpty, prefixed } from "./service-generator.ts";

/** Copies a whole use case of the repository, so that it runs outside it. */
export const exampleGenerator: Generator = {
  name: "example",
  description: "a whole use case that runs on this machine",
  prompts: [
    {
      name: "name",
      flag: "name",
      kind: "text",
      message: "What is the project called?",
      problem: serviceNameProblem,
    },
    { name: "example", flag: "example", kind: "text", message: "Which example?" },
    {
      name: "pm",
      flag: "pm",
      kind: "choice",
      message: "Which package manager?",
      choices: packageManagers.map((value) => ({ value, label: value })),
      initial: "npm",
    },
  ],
  validate(answers, context) {
    assertName(textOf(answers, "name"), serviceNameProblem, "--name");
    exampleOf(textOf(answers, "example"), context);
  },
  plan(answers, tree, context) {
    const example = exampleOf(textOf(answers, "example"), context);
    const folder = answers.into === true ? `services/${textOf(answers, "name")}` : "";
    assertEmpty(tree, folder, context.existing);
    const copy = prefixed(tree, folder, context.existing === "keep");
    const pm = textOf(answers, "pm");
    for (const { path, content, executable } of renderExample(
      example,
      textOf(answers, "name"),
      pm,
      context,
    )) {
      copy.write(path, content, { executable });
    }
    return [`${pm} install`, `${pm} run demo`];
  },
};

function exampleOf(wanted: string, { templates }: GeneratorContext): Template {
  const examples = templates?.examples ?? [];
  const found = examples.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  throw new ScaffoldError("AE1202", {
    where: "--example",
    message: `Expected one of ${examples.map(({ name }) => name).join(", ")}, found ${shown(wanted)}`,
  });
}
