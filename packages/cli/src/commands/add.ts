import { parseArgs } from "node:util";
import {
  type Answers,
  commitTree,
  type Generator,
  operationGenerator,
  planGenerator,
  toChangeList,
  toDiff,
} from "@aieffect/generators";
import { pathOf } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";
import { findProject } from "../project/find-project.ts";
import { UsageError } from "../usage-error.ts";

/** What can be added. */
const generators: Readonly<Record<string, Generator>> = {
  operation: operationGenerator,
  method: operationGenerator,
};

/** Adds a part to a project, whole or not at all; what is there already stays as it is. */
export async function run(args: string[]): Promise<number> {
  const [what = "", ...rest] = args;
  const generator = Object.hasOwn(generators, what) ? generators[what] : undefined;
  if (generator === undefined) {
    throw new UsageError(
      `Expected what to add, one of ${Object.keys(generators).join(", ")}, found "${what}"`,
    );
  }
  const questions = generator.prompts.filter(({ name }) => name !== "name");
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: true,
    options: {
      ...Object.fromEntries(questions.map(({ flag }) => [flag, { type: "string" as const }])),
      name: { type: "string" as const },
      service: { type: "string" as const },
      "dry-run": { type: "boolean" as const },
      diff: { type: "boolean" as const },
      json: { type: "boolean" as const },
    },
  });
  if (positionals.length > 1) {
    throw new UsageError(`Expected one name, found ${positionals.length}: ${positionals.join(", ")}`);
  }
  const given = values as Record<string, string | boolean | undefined>;
  const { folder } = findProject(given.service === undefined ? process.cwd() : pathOf(String(given.service)));
  const answers: Answers = {
    name: positionals[0] ?? given.name,
    ...Object.fromEntries(questions.map(({ name, flag }) => [name, given[flag]])),
  };
  const { tree, changes, next } = planGenerator(generator, answers, { root: folder });
  const isDry = given["dry-run"] === true || given.diff === true;
  if (!isDry) commitTree(tree);
  if (given.json) {
    const files = changes.map(({ path, kind }) => ({ path, kind }));
    const result = { ok: true, ...(isDry && { dry_run: true }), folder, files, next: isDry ? [] : next };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return exitCodes.fine;
  }
  if (changes.length === 0) process.stderr.write("Everything is there already; nothing was changed\n");
  process.stdout.write(given.diff ? toDiff(changes) : toChangeList(changes));
  if (!isDry && changes.length > 0) process.stderr.write(`Next:\n  ${next.join("\n  ")}\n`);
  return exitCodes.fine;
}
