import { ScaffoldError } from "./errors.ts";
import { assertName } from "./names.ts";
import type { Templates } from "./templates/templates.ts";
import { type Change, createTree, type Tree } from "./tree/tree.ts";

/** Answers by the names of the questions. */
export type Answers = Record<string, string | readonly string[] | boolean | undefined>;

/** A question. Every one has a flag; a door asks it only where there is a terminal. */
export interface Prompt {
  /** The answer's name. */
  name: string;
  /** The flag that answers it, without dashes. */
  flag: string;
  kind: "text" | "choice" | "list" | "yes-no";
  /** The question as people are asked. */
  message: string;
  /** What a `choice` may be. */
  choices?: readonly { value: string; label: string }[];
  /** What stands for no answer; without one the answer is needed. */
  initial?: string | boolean | readonly string[];
  /** Why an answer cannot be, or undefined. */
  problem?(answer: string): string | undefined;
}

/** What a generator works with, beside the answers. */
export interface GeneratorContext {
  /** The folder that is written into. It need not exist. */
  root: string;
  /** The templates, for generators that copy them. */
  templates?: Templates | undefined;
  /** What to do with files that are there: nothing of theirs is touched (`keep`), or they are replaced. @default "refuse" */
  existing?: "refuse" | "keep" | "replace" | undefined;
}

/** What a generator wants to do. Not committing it is the dry run. */
export interface Plan {
  /** The tree to commit. */
  tree: Tree;
  /** What will differ from the disk. */
  changes: readonly Change[];
  /** What to do next, as commands and sentences. */
  next: readonly string[];
}

/** A generator. The doors (plop, create-aieffect-service, `aieffect add`) ask, and commit what it plans. */
export interface Generator {
  name: string;
  description: string;
  /** At most five. */
  prompts: readonly Prompt[];
  /** Refuses answers that cannot be. @throws ScaffoldError */
  validate(answers: Answers, context: GeneratorContext): void;
  /** Plans on the tree, without touching the disk. @returns what to do next */
  plan(answers: Answers, tree: Tree, context: GeneratorContext): readonly string[];
}

/**
 * Fills in defaults, validates, and plans on a tree of its own. The disk is read and not written:
 * that is `commitTree(plan.tree)`.
 * @throws ScaffoldError
 */
export function planGenerator(generator: Generator, given: Answers, context: GeneratorContext): Plan {
  const answers = completeAnswers(generator, given);
  generator.validate(answers, context);
  const tree = createTree(context.root);
  const next = generator.plan(answers, tree, context);
  return { tree, changes: tree.changes(), next };
}

/** The answers with the defaults of what was not answered. @throws ScaffoldError AE1202, AE1203, AE1201 */
export function completeAnswers({ prompts }: Generator, given: Answers): Answers {
  const answers = { ...given };
  const missing: Prompt[] = [];
  for (const prompt of prompts) {
    const answer = answers[prompt.name] ?? prompt.initial;
    if (answer === undefined || answer === "") {
      missing.push(prompt);
      continue;
    }
    answers[prompt.name] = answer;
    for (const one of Array.isArray(answer) ? answer : [answer]) assertAnswer(prompt, one);
  }
  if (missing.length > 0) {
    throw new ScaffoldError("AE1203", {
      where: missing.map(({ flag }) => `--${flag}`).join(", "),
      message: `Expected an answer to: ${missing.map(({ message }) => message).join(" ")}`,
      tries: missing.map(({ flag, choices }) =>
        choices ? `--${flag} ${choices.map(({ value }) => value).join("|")}` : `--${flag} <value>`,
      ),
    });
  }
  return answers;
}

function assertAnswer({ flag, choices, problem }: Prompt, answer: unknown): void {
  const text = String(answer);
  if (choices !== undefined && !choices.some(({ value }) => value === text)) {
    throw new ScaffoldError("AE1202", {
      where: `--${flag}`,
      message: `Expected one of ${choices.map(({ value }) => value).join(", ")}, found ${JSON.stringify(text.slice(0, 80))}`,
      tries: choices.map(({ value }) => `--${flag} ${value}`),
    });
  }
  if (problem !== undefined) assertName(text, problem, `--${flag}`);
}

/** An answer that is a text. */
export function textOf(answers: Answers, name: string): string {
  const answer = answers[name];
  if (typeof answer !== "string")
    throw new TypeError(`Expected the answer ${name} to be a text, found ${answer}`);
  return answer;
}

/** An answer that is a list; a text is one with commas between. */
export function listOf(answers: Answers, name: string): readonly string[] {
  const answer = answers[name];
  if (Array.isArray(answer)) return answer;
  return typeof answer === "string"
    ? answer
        .split(",")
        .map((one) => one.trim())
        .filter(Boolean)
    : [];
}
