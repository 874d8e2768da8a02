import { parseArgs } from "node:util";
import { UsageError } from "./errors.ts";

/** One flag of a command. */
interface Flag {
  name: string;
  /** What stands behind it, for the help; without it is a switch. */
  value?: string;
  /** It may be given several times. @default false */
  many?: boolean;
  help: string;
}

/** Flags under a heading, for the help. */
export interface FlagGroup {
  title: string;
  flags: readonly Flag[];
}

/** What was given: texts by name, in lists; a switch that is on has an empty list. */
export type Given = ReadonlyMap<string, readonly string[]>;

/** Reads arguments by the flags of a command. @throws UsageError */
export function readFlags(
  command: string,
  args: readonly string[],
  groups: readonly FlagGroup[],
): { given: Given; positionals: string[] } {
  const flags = groups.flatMap((group) => group.flags);
  const options = Object.fromEntries(
    flags.map(({ name, value }) => [
      name,
      value === undefined ? ({ type: "boolean" } as const) : ({ type: "string", multiple: true } as const),
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const given = Object.entries(values).map(
      ([name, value]) => [name, Array.isArray(value) ? value.map(String) : []] as const,
    );
    for (const { name, many = false } of flags) {
      const found = given.find(([one]) => one === name)?.[1].length ?? 0;
      if (!many && found > 1) throw new UsageError(`Expected --${name} once, found it ${found} times`);
    }
    return { given: new Map(given), positionals };
  } catch (error) {
    // The parser's own hint is about a rarity, and longer than its message.
    const message = (error as Error).message.replace(/\. To specify a positional argument.*$/s, "");
    throw new UsageError(`${message}; see aieffect-conformance ${command} --help`, { cause: error });
  }
}

/** The variable that stands for a flag, as in `AIEFFECT_CONFORMANCE_POLL_INTERVAL`. */
function variableOf(flag: string): string {
  return `AIEFFECT_CONFORMANCE_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** What was given, completed by the environment: flags win. Of one that may be given several times, lines count. */
export function withEnvironment(
  given: Given,
  groups: readonly FlagGroup[],
  env: Readonly<Record<string, string | undefined>>,
): Given {
  const all = new Map(given);
  for (const { name, value, many } of groups.flatMap((group) => group.flags)) {
    const text = env[variableOf(name)];
    if (all.has(name) || text === undefined || text === "") continue;
    if (value !== undefined) all.set(name, many ? text.split("\n").filter(Boolean) : [text]);
    else if (/^(1|true|yes|on)$/i.test(text)) all.set(name, []);
    else if (!/^(0|false|no|off)$/i.test(text)) {
      throw new UsageError(`Expected ${variableOf(name)} to be 1 or 0, found "${text}"`);
    }
  }
  return all;
}

/** The flags as the help shows them. */
export function describeFlags(groups: readonly FlagGroup[]): string {
  return groups
    .map(({ title, flags }) => {
      const lines = flags.map(({ name, value, help }) => {
        const head = `  --${name}${value === undefined ? "" : ` ${value}`}`;
        const [first = "", ...rest] = help.split("\n");
        const gap = head.length > 27 ? `\n${" ".repeat(29)}` : " ".repeat(29 - head.length);
        return [`${head}${gap}${first}`, ...rest.map((line) => `${" ".repeat(29)}${line}`)].join("\n");
      });
      return `${title}:\n${lines.join("\n")}\n`;
    })
    .join("\n");
}
