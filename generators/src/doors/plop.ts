import { join } from "node:path";
import {
  type Answers,
  type Generator,
  type GeneratorContext,
  type Prompt,
  planGenerator,
} from "../generator.ts";
import { operationGenerator } from "../operation/operation-generator.ts";
import { pipelineGenerator } from "../pipeline/pipeline-generator.ts";
import { serviceGenerator } from "../service/service-generator.ts";
import type { Templates } from "../templates/templates.ts";
import { commitTree } from "../tree/commit.ts";
import { toChangeList } from "../tree/show-changes.ts";

/** What is used of plop. */
export interface Plop {
  setGenerator(name: string, config: { description: string; prompts: unknown; actions: unknown }): unknown;
  setActionType(name: string, action: (answers: Answers, config: { generator: string }) => string): unknown;
}

/** Where the generators write, and what they copy. */
export interface PlopOptions {
  /** The folder that generators work in; a new service goes into a folder below it. */
  root: string;
  /** Needed for `service`; without them it is not offered. */
  templates?: Templates;
  /** More generators, with the folder that each works in. */
  more?: readonly { generator: Generator; root: string }[];
}

/**
 * Offers the generators in plop, which asks and keeps the list. Its own actions are not used: ours
 * plans everything first and writes it whole or not at all.
 */
export function registerGenerators(plop: Plop, { root, templates, more = [] }: PlopOptions): void {
  const offered: { generator: Generator; context(answers: Answers): GeneratorContext }[] = [
    { generator: operationGenerator, context: () => ({ root }) },
    { generator: pipelineGenerator, context: () => ({ root }) },
    ...more.map((one) => ({ generator: one.generator, context: () => ({ root: one.root }) })),
  ];
  if (templates !== undefined) {
    const context = (answers: Answers) => ({ root: join(root, String(answers.name)), templates });
    offered.unshift({ generator: serviceGenerator, context });
  }
  plop.setActionType("aieffect", (answers, { generator: name }) => {
    const chosen = offered.find(({ generator }) => generator.name === name);
    if (chosen === undefined) throw new TypeError(`Expected a generator that was offered, found ${name}`);
    const plan = planGenerator(chosen.generator, answers, chosen.context(answers));
    return `\n${toChangeList(commitTree(plan.tree))}next:\n  ${plan.next.join("\n  ")}`;
  });
  for (const { generator } of offered) {
    plop.setGenerator(generator.name, {
      description: generator.description,
      prompts: generator.prompts.map(toQuestion),
      actions: [{ type: "aieffect", generator: generator.name, abortOnFail: true }],
    });
  }
}

function toQuestion({ name, message, kind, choices, initial, problem }: Prompt) {
  return {
    name,
    message,
    type: choices === undefined ? "input" : "list",
    ...(choices && { choices: choices.map(({ value, label }) => ({ value, name: label })) }),
    ...(initial !== undefined && { default: initial }),
    validate: (answer: string) => (kind === "text" ? (problem?.(answer) ?? true) : true),
  };
}
