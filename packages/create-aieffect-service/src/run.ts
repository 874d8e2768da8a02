import { basename, relative, resolve } from "node:path";
import {
  type Answers,
  badName,
  commitTree,
  exampleGenerator,
  exitCodes,
  type Generator,
  type GeneratorContext,
  planGenerator,
  type ScaffoldError,
  ScaffoldError as ScaffoldFailure,
  serviceGenerator,
  serviceNameProblem,
  type Templates,
  toChangeList,
  toDiff,
  toErrorJson,
  toErrorText,
  toScaffoldError,
} from "@aieffect/generators";
import { afterwards } from "./afterwards.ts";
import { type Given, readArguments } from "./arguments.ts";
import { askMissing, cancelled, confirmPlan } from "./ask.ts";
import { helpText } from "./help.ts";
import { resolveTarget } from "./target.ts";

/** What the program stands in; tests and the checkout give their own. */
export interface Surroundings {
  templates: Templates;
  /** What is written instead; made once all that was said is known to be right, since making it takes long. @default `templates` */
  complete?: () => Promise<Templates>;
  /** @default process.env */
  env?: NodeJS.ProcessEnv;
  /** What it is called by, for the command that gives the same again. @default `npm create aieffect-service` of this version, or pnpm's */
  calledBy?: string;
  /** Where relative paths start. @default `INIT_CWD`, else the process's */
  cwd?: string;
}

/** Runs the program. Never rejects; what it resolves with is the exit code. */
export async function run(
  argv: readonly string[],
  { templates, complete, env = process.env, calledBy, cwd }: Surroundings,
): Promise<number> {
  const from = cwd ?? process.cwd();
  // Writing is one step that a signal must not cut in two.
  let interrupted = false;
  const onSignal = () => {
    interrupted = true;
  };
  process.on("SIGINT", onSignal);
  let given: Given | undefined;
  try {
    given = readArguments(argv, calledBy);
    if (given.help) process.stdout.write(helpText(templates));
    else if (given.version) process.stdout.write(`${templates.version}\n`);
    else await create(given, { templates, complete, env, calledBy, from, isInterrupted: () => interrupted });
    return exitCodes.done;
  } catch (thrown) {
    const failed = toScaffoldError(thrown);
    // What the signal also ended tells of that as a failure of its own.
    const error: ScaffoldError =
      interrupted && failed.code !== "AE1901"
        ? new ScaffoldFailure("AE1901", { message: "cancelled", state: failed.state, cause: failed })
        : failed;
    const json = given?.json ?? argv.includes("--json");
    if (json) process.stdout.write(toErrorJson(error));
    else process.stderr.write(toErrorText(error));
    return error.exitCode;
  } finally {
    process.off("SIGINT", onSignal);
  }
}

interface Inner {
  templates: Templates;
  complete: (() => Promise<Templates>) | undefined;
  env: NodeJS.ProcessEnv;
  calledBy: string | undefined;
  from: string;
  isInterrupted(): boolean;
}

async function create(given: Given, inner: Inner): Promise<void> {
  const { templates, complete, env, calledBy, from, isInterrupted } = inner;
  const say = (text: string) => void (given.json || given.quiet || process.stdout.write(text));
  const generator: Generator = given.example === undefined ? serviceGenerator : exampleGenerator;
  const mayAsk = !given.yes && given.interactive !== false && !given.json && hasTerminal(env);
  const first = answersOf(given, env, templates, from);
  const answers = mayAsk ? await askMissing(generator, first) : first;
  const name = String(answers.name ?? "");
  // What is no name is told before it stands in a path.
  const problem = name === "" ? undefined : serviceNameProblem(name);
  if (problem !== undefined) {
    throw badName(
      name,
      serviceNameProblem,
      "--name",
      problem,
      given.name === undefined ? "folder" : "--name",
    );
  }
  const root =
    given.into === undefined ? resolveTarget(given.dir ?? (name || "."), from) : resolve(from, given.into);
  const existing = given.merge ? "keep" : given.overwrite ? "replace" : "refuse";
  if (complete !== undefined) planGenerator(generator, answers, { root, templates, existing });
  const context: GeneratorContext = { root, templates: (await complete?.()) ?? templates, existing };
  const began = performance.now();
  const plan = planGenerator(generator, answers, context);
  // What stays as its user has it may be what the rest is made for.
  const kept =
    existing === "keep"
      ? planGenerator(generator, answers, { ...context, existing: "replace" })
          .changes.filter(({ kind }) => kind === "update")
          .map(({ path }) => path)
          .filter((path) => !plan.changes.some((change) => change.path === path))
      : [];
  const shownRoot = relative(from, root) || ".";
  const folder =
    given.into === undefined ? shownRoot : `${shownRoot === "." ? "" : `${shownRoot}/`}services/${name}`;
  const done = {
    name,
    folder: resolve(from, folder),
    files: plan.changes.map(({ path, kind }) => ({ path, kind })),
    ...(kept.length > 0 && { kept }),
  };
  if (given["dry-run"]) {
    if (given.json) process.stdout.write(`${JSON.stringify({ ok: true, dry_run: true, ...done })}\n`);
    else process.stdout.write(given.diff ? toDiff(plan.changes) : toChangeList(plan.changes));
    return;
  }
  if (mayAsk) await confirmPlan(shownRoot, toChangeList(plan.changes));
  // Lets a signal in before the first byte is written.
  await new Promise((resume) => setImmediate(resume));
  if (isInterrupted()) throw cancelled();
  commitTree(plan.tree);
  const replay = replayCommand(given, answers, templates, calledBy);
  say(`${plan.changes.length} files in ${shownRoot}, ${Math.round(performance.now() - began)} ms\n`);
  if (kept.length > 0) {
    say(`kept yours: ${kept.join(", ")}; --overwrite --dry-run --diff shows what the template has\n`);
  }
  const verified = await afterwards(done.folder, { given, pm: String(answers.pm ?? "npm"), say, name });
  if (isInterrupted()) {
    throw new ScaffoldFailure("AE1901", { message: "cancelled", state: `the project is whole in ${folder}` });
  }
  const next = [`cd ${folder}`, ...plan.next.slice(given.install || given.verify ? 1 : 0)].join("\n  ");
  say(`\nThe same again:\n  ${replay}\nNext:\n  ${next}\n`);
  if (given.json) {
    const seconds = Number(((performance.now() - began) / 1000).toFixed(3));
    process.stdout.write(
      `${JSON.stringify({ ok: true, ...done, replay, next: plan.next, ...(verified && { verified }), seconds })}\n`,
    );
  }
}

/** What the flags answer. */
function answersOf(given: Given, env: NodeJS.ProcessEnv, templates: Templates, from: string): Answers {
  const [data, style] = given.template === undefined ? [] : splitTemplate(given.template, templates);
  const contradicted = ([flag, one, other]: readonly (string | undefined)[]) => {
    if (one !== undefined && other !== undefined && one !== other) {
      throw new ScaffoldFailure("AE1204", {
        where: `--${flag}`,
        message: `Expected --template and --${flag} to agree, found ${other} and ${one}`,
      });
    }
  };
  contradicted(["data", given.data, data]);
  contradicted(["style", given.style, style]);
  const fromFolder =
    given.dir === undefined ? undefined : basename(resolve(from, given.dir.replaceAll("\\", "/")));
  const answers: Answers = {
    name: given.name ?? fromFolder,
    data: given.data ?? data,
    style: given.style ?? style,
    // A workspace is pnpm's.
    pm: given.pm ?? (given.into || /^pnpm\//.test(env.npm_config_user_agent ?? "") ? "pnpm" : "npm"),
    operation: given.operation,
    into: given.into !== undefined,
    example: given.example,
  };
  return answers;
}

function splitTemplate(template: string, { services }: Templates): [string, string] {
  const known = services.find(({ name }) => name === template);
  const [data, style] = template.split("-");
  if (known !== undefined && data !== undefined && style !== undefined) return [data, style];
  throw new ScaffoldFailure("AE1202", {
    where: "--template",
    message: `Expected one of ${services.map(({ name }) => name).join(", ")}, found ${JSON.stringify(template.slice(0, 80))}`,
  });
}

function hasTerminal(env: NodeJS.ProcessEnv): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true && !env.CI;
}

/** All answers as flags: what gives the same tree again, anywhere. */
function replayCommand(
  given: Given,
  answers: Answers,
  { version }: Templates,
  calledBy: string | undefined,
): string {
  const flags = [
    given.dir ?? answers.name,
    ...(given.name === undefined ? [] : ["--name", answers.name]),
    ...(given.example === undefined
      ? ["--data", answers.data ?? "file", "--style", answers.style ?? "concurrent"]
      : ["--example", given.example]),
    ...(given.operation ?? []).flatMap((name) => ["--operation", name]),
    ...(given.into === undefined ? [] : ["--into", given.into]),
    "--pm",
    answers.pm,
    "--yes",
  ].map((word) => (/^[\w./@-]+$/.test(String(word)) ? word : `"${word}"`));
  if (calledBy !== undefined) return `${calledBy} ${flags.join(" ")}`;
  return answers.pm === "pnpm"
    ? `pnpm create aieffect-service@${version} ${flags.join(" ")}`
    : `npm create aieffect-service@${version} -- ${flags.join(" ")}`;
}
