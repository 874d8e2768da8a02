import { type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Demo, DemoInput } from "./demo.ts";
import { UsageError } from "./usage-error.ts";

/** What a demo was asked to do. */
export interface DemoOptions {
  input: DemoInput;
  /** Stays until a signal. */
  keep: boolean;
  /** Ends with a line of JSON on standard output; everything else goes to standard error. */
  json: boolean;
  /** Absolute path of the folder for results and logs. */
  data_dir: string;
  /** The key that the services ask for. */
  services_api_key: string | undefined;
  /** `concurrent` for work so long that one wants to see its progress. @default `EXECUTION_STYLE`, else by the input */
  execution_style: string;
}

/**
 * Reads the command line; relative paths start where the user's shell is.
 *
 * @returns undefined when it asks for help
 * @throws UsageError
 */
export function readOptions(
  demo: Demo,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): DemoOptions | undefined {
  const { texts, flags } = parse(demo, args);
  if (flags.help) return undefined;
  // npm runs a script in its package's folder and tells here where it was called.
  const toPath = (given: string) => resolve(env.INIT_CWD ?? "", given);
  const input = demo.toInput({ values: texts, toPath });
  const dir = texts["data-dir"];
  const data_dir = dir === undefined ? demo.data_dir : toPath(dir);
  assertFolder(data_dir);
  return {
    input,
    keep: flags.keep,
    json: flags.json,
    data_dir,
    services_api_key: env.SERVICE_API_KEY?.trim() || undefined,
    execution_style: env.EXECUTION_STYLE || (input.is_long ? "concurrent" : "sequential"),
  };
}

/** An option that is a number of things. @throws UsageError */
export function toCount(name: string, text: string, most: number): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= most) return count;
  throw new UsageError(`Expected --${name} to be an integer from 1 to ${most}, found "${text}"`);
}

/** What is at a path; undefined also where the path leads through a file. */
export function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

function parse({ options }: Demo, args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const own: Readonly<Record<string, typeof text>> = Object.fromEntries(options.map((name) => [name, text]));
  const shared = { "data-dir": text, keep: flag, json: flag, help: { ...flag, short: "h" } };
  try {
    // `pnpm demo -- --keep` hands the two dashes on.
    const given = args[0] === "--" ? args.slice(1) : [...args];
    const values: Record<string, unknown> = parseArgs({ args: given, options: { ...own, ...shared } }).values;
    const entries = Object.entries(values);
    const texts: Record<string, string | undefined> = Object.fromEntries(
      entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
    const isSet = (name: string) => values[name] === true;
    return { texts, flags: { keep: isSet("keep"), json: isSet("json"), help: isSet("help") } };
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** That there is a folder, or that one can be made there. */
function assertFolder(folder: string): void {
  const found = look(folder);
  if (found?.isDirectory()) return;
  if (found !== undefined) {
    throw new UsageError(
      `Expected --data-dir to be a folder, found a file at ${folder}; name another folder`,
    );
  }
  if (dirname(folder) !== folder) assertFolder(dirname(folder));
}
