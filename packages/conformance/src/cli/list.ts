import { catalogue } from "../cases/catalogue.ts";
import { chooseCases } from "./choose-cases.ts";
import type { CommandContext } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { type FlagGroup, readFlags } from "./flags.ts";

/** The flags of `list`. */
export const listFlags: readonly FlagGroup[] = [
  {
    title: "Options",
    flags: [
      {
        name: "case",
        value: "GLOB",
        many: true,
        help: "only these: id, slug or profile, as T04, conc/**, auth",
      },
      { name: "json", help: "as JSON" },
      { name: "help", help: "this text" },
    ],
  },
];

/** Lists the cases. @returns the exit code */
export function list(args: readonly string[], { stdout }: CommandContext): number {
  const { given, positionals } = readFlags("list", args, listFlags);
  const globs = [...positionals, ...(given.get("case") ?? [])].flatMap((text) => text.split(","));
  const chosen = globs.length === 0 ? new Set(catalogue) : chooseCases("case", globs, catalogue);
  const cases = catalogue.filter((one) => chosen.has(one));
  if (given.has("json")) {
    const told = cases.map(({ run: _run, ...rest }) => rest);
    stdout.write(`${JSON.stringify(told, null, 2)}\n`);
    return exitCodes.conformant;
  }
  let profile = "";
  for (const one of cases) {
    if (one.profile !== profile) stdout.write(`${profile === "" ? "" : "\n"}${one.profile}\n`);
    profile = one.profile;
    const needs = one.needs.length === 0 ? "" : `  needs ${one.needs.join(", ")}`;
    stdout.write(
      `  ${one.id.padEnd(4)} ${one.slug.padEnd(30)} ${one.level.padEnd(6)}${needs}\n       ${one.holds}\n`,
    );
  }
  return exitCodes.conformant;
}
