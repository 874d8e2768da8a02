import { type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { data_dir, sample_file } from "./paths.ts";

/** What the demo was asked to do. */
export interface DemoOptions {
  /** Shows the help and nothing else. */
  help: boolean;
  /** Absolute path of the CSV to analyse; undefined when readings are to be generated. */
  input: string | undefined;
  /** How many readings to generate. */
  records: number;
  /** Stays until a signal. */
  keep: boolean;
  /** Ends with a line of JSON on standard output; everything else goes to standard error. */
  json: boolean;
  /** Absolute path of the folder for results and logs. */
  data_dir: string;
  /** The key that the services ask for. */
  services_api_key: string | undefined;
  /** `concurrent` for work so long that one wants to see its progress. @default `EXECUTION_STYLE`, else by size */
  execution_style: string;
}

/** A mistake on the command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const help = `Runs the file-based energy pipeline on this machine: four services, an orchestrator, one workflow.

Usage: npm run demo -- [options]

  --input FILE     analyse this CSV (timestamp,household_id,power_consumption,voltage,current)
  --records N      generate N readings and analyse them
                   (without either: the sample data of the use case)
  --keep           leave everything running until Ctrl-C, to submit further workflows
  --json           end with one line of JSON on standard output; the rest goes to standard error
  --data-dir DIR   where results and logs go (default: the use case's data folder)
  --help           this text

From 64 MiB or 1,000,000 readings on, the services work concurrently and report their progress;
EXECUTION_STYLE=sequential or concurrent in the environment decides otherwise.
Exit codes: 0 done, 1 the workflow failed, 2 wrong usage, 130 interrupted.
`;

/** Reads the command line; relative paths start where the user's shell is. @throws UsageError */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv = process.env): DemoOptions {
  const { input, records, "data-dir": dir, help = false, keep = false, json = false } = parse(args);
  if (input !== undefined && records !== undefined) {
    throw new UsageError("Expected --input or --records, found both; choose one");
  }
  // npm runs a script in its package's folder and tells here where it was called.
  const toPath = (given: string) => resolve(env.INIT_CWD ?? "", given);
  const file = input === undefined ? sample_file : toPath(input);
  if (input !== undefined) assertFile(file);
  const results = dir === undefined ? data_dir : toPath(dir);
  assertFolder(results);
  return {
    help,
    input: records === undefined ? file : undefined,
    records: records === undefined ? 0 : toCount(records),
    keep,
    json,
    data_dir: results,
    services_api_key: env.SERVICE_API_KEY?.trim() || undefined,
    execution_style: env.EXECUTION_STYLE || (isLong(file, records) ? "concurrent" : "sequential"),
  };
}

/** Whether a person would wonder what the services are doing. */
function isLong(file: string, records: string | undefined): boolean {
  return records === undefined ? statSync(file).size >= 64 * 2 ** 20 : Number(records) >= 1_000_000;
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      // `pnpm demo -- --keep` hands the two dashes on.
      args: args[0] === "--" ? args.slice(1) : [...args],
      options: {
        input: { type: "string" },
        records: { type: "string" },
        "data-dir": { type: "string" },
        keep: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function toCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 50_000_000) return count;
  throw new UsageError(`Expected --records to be an integer from 1 to 50000000, found "${text}"`);
}

function assertFile(file: string): void {
  const found = look(file);
  if (found === undefined)
    throw new UsageError(`Expected --input to be a CSV file, found nothing at ${file}`);
  if (!found.isFile())
    throw new UsageError(`Expected --input to be a CSV file, found something else at ${file}`);
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

/** What is at a path; undefined also where the path leads through a file. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
