import { catalogue } from "../cases/catalogue.ts";
import { type Code, type CodeText, codes } from "../codes/codes.ts";
import type { ConformanceCase } from "../engine/case.ts";
import { readRules } from "../report/rules.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { type FlagGroup, readFlags } from "./flags.ts";

/** The flags of `explain`. */
export const explainFlags: readonly FlagGroup[] = [
  { title: "Options", flags: [{ name: "help", help: "this text" }] },
];

const reasons = {
  orchestrator: "the deployed orchestrator fails, hangs or loses the task otherwise",
  data: "results are lost or mixed up otherwise",
  security: "it is a hole otherwise",
  rfc: "HTTP itself demands it",
  practice: "it is good practice",
} as const;

/** Explains cases, codes and rules. @returns the exit code */
export async function explain(args: readonly string[], { stdout }: CommandContext): Promise<number> {
  const { positionals } = readFlags("explain", args, explainFlags);
  if (positionals.length === 0) {
    throw new UsageError(
      "Expected a case, a code or a rule, as in: aieffect-conformance explain T04; found none",
    );
  }
  // The services that the suite is tested with show best what a case is about.
  const { mutants } = await import("../zoo/mutants/index.ts");
  const texts = positionals.map((name) => {
    const one = catalogue.find(({ id, slug }) => id.toLowerCase() === name.toLowerCase() || slug === name);
    if (one !== undefined) {
      const caught = mutants.filter(({ breaks }) => breaks === one.id);
      return aboutCase(one, caught);
    }
    const code = name.toUpperCase();
    if (Object.hasOwn(codes, code)) {
      const caught = mutants.filter((mutant) => mutant.code === code);
      return aboutCode(code as Code, caught);
    }
    const rule = readRules().get(code);
    if (rule !== undefined) return aboutRule(code, rule);
    throw new UsageError(`Expected a case, a code or a rule, found "${name}"${hint(name)}`);
  });
  stdout.write(texts.join("\n"));
  return exitCodes.conformant;
}

interface Caught {
  breaks: string;
  code: string;
  summary: string;
}

function aboutCase(one: ConformanceCase, caught: readonly Caught[]): string {
  const rules = readRules();
  const notes = [
    ...(one.stochastic ? ["It can only disprove: a pass is no proof."] : []),
    ...(one.timing ? ["Its verdict rests on measured time."] : []),
    ...(one.destructive
      ? ["It can harm a service that others use: run on this machine, or with --allow-destructive."]
      : []),
    ...(one.extension === undefined
      ? []
      : [`It is run where the service declares the extension "${one.extension}".`]),
  ];
  return lines(
    `${one.id} ${one.slug} (${one.profile}, ${one.level}: ${reasons[one.because]})`,
    "",
    `  What has to hold   ${one.holds}.`,
    `  Otherwise          ${one.consequence}`,
    `  What to change     ${one.fix}`,
    `  Needs              ${one.needs.join(", ") || "nothing but the URL"}`,
    ...notes.map((note) => `                     ${note}`),
    "",
    ...one.rules.map((id) => `  ${id}  ${rules.get(id) ?? ""}`),
    ...examples(caught, ({ code }) => code),
  );
}

function aboutCode(code: Code, caught: readonly Caught[]): string {
  const { means, fix }: CodeText = codes[code];
  return lines(
    code,
    "",
    `  What was found     ${means}`,
    `  What to change     ${fix}`,
    ...examples(caught, ({ breaks }) => breaks),
  );
}

function aboutRule(id: string, text: string): string {
  const cases = catalogue.filter(({ rules }) => rules.includes(id)).map((one) => `${one.id} ${one.slug}`);
  return lines(id, "", `  ${text}`, "", `  Checked by         ${cases.join(", ") || "no case"}`);
}

function examples(caught: readonly Caught[], of: (one: Caught) => string): string[] {
  if (caught.length === 0) return [];
  return [
    "",
    "  Services that are caught by it:",
    ...caught.map((one) => `  - one that ${one.summary} (${of(one)})`),
  ];
}

function lines(...all: string[]): string {
  return `${all.join("\n")}\n`;
}

function hint(name: string): string {
  const wanted = name.toLowerCase().replace(/^e_/, "");
  const names = [...catalogue.flatMap(({ id, slug }) => [id, slug]), ...Object.keys(codes)];
  const close = names.filter((one) => one.toLowerCase().includes(wanted)).slice(0, 5);
  return close.length === 0 ? "; see aieffect-conformance list" : `; did you mean ${close.join(", ")}?`;
}
