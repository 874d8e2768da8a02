import { parseArgs } from "node:util";
import {
  type Answers,
  commitTree,
  type Generator,
  operationGenerator,
  pipelineGenerator,
  planGenerator,
  toChangeList,
  toDiff,
} from "@aieffect/generators";
import { pathOf } from "../arguments.ts";
import { exitCodes } from "../exit-codes.ts";
import { findProject, findWorkspace } from "../project/find-project.ts";
import { UsageError } from "../usage-error.ts";

/** Something that can be added, and to what. */
interface Addable {
  generator: Generator;
  /** The flag that names a folder instead of the one that the user is in. */
  folderFlag: string;
  /** The folder that is written into. @throws CliError where there is none */
  findRoot(start: string): string;
}

const operation: Addable = {
  generator: operationGenerator,
  folderFlag: "service",
  findRoot: (start) => findProject(start).folder,
};
const pipeline: Addable = {
  generator: pipelineGenerator,
  folderFlag: "workspace",
  findRoot: findWorkspace,
};
const addables: Readonly<Record<string, Addable>> = { operation, method: operation, pipeline };

/** Adds a part to a project, whole or not at all; what is there already stays as it is. */
export async function run(args: string[]): Promise<number> {
  const [what = "", ...rest] = args;
  const addable = Object.hasOwn(addables, what) ? addables[what] : undefined;
  if (addable === undefined) {
    const known = Object.keys(addables).join(", ");
    throw new UsageError(`Expected what to add, one of ${known}, found "${what}"`);
  }
  const { generator, folderFlag, findRoot } = addable;
  const texts = [...generator.prompts.map(({ flag }) => flag), folderFlag];
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: true,
    options: {
      ...Object.fromEntries(texts.map((flag) => [flag, { type: "string" as const }])),
      "dry-run": { type: "boolean" as const },
      diff: { type: "boolean" as const },
      json: { type: "boolean" as const },
    },
  });
  if (positionals.length > 1) {
    throw new UsageError(`Expected one name, found ${positionals.length}: ${positionals.join(", ")}`);
  }
  const given = values as Record<string, string | boolean | undefined>;
  const start = given[folderFlag];
  const root = findRoot(start === undefined ? process.cwd() : pathOf(String(start)));
  const answers: Answers = {
    ...Object.fromEntries(generator.prompts.map(({ name, flag }) => [name, given[flag]])),
    ...(positionals[0] !== undefined && { name: positionals[0] }),
  };
  const { tree, changes, next } = planGenerator(generator, answers, { root });
  const isDry = given["dry-run"] === true || given.diff === true;
  if (!isDry) commitTree(tree);
  if (given.json) {
    const files = changes.map(({ path, kind }) => ({ path, kind }));
    const result = { ok: true, ...(isDry && { dry_run: true }), folder: root, files, next };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return exitCodes.fine;
  }
  if (changes.length === 0) process.stderr.write("Everything is there already; nothing was changed\n");
  process.stdout.write(given.diff ? toDiff(changes) : toChangeList(changes));
  if (!isDry && changes.length > 0) process.stderr.write(`Next:\n  ${next.join("\n  ")}\n`);
  return exitCodes.fine;
}
