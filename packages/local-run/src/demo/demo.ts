import type { DataReference } from "@aieffect/control-interface";
import type { RunOutcome } from "../pipeline/start-local-pipeline.ts";
import type { ServiceProgram } from "../services/start-services.ts";

/** A use case as a program for the terminal that runs it once and shows what comes out. */
export interface Demo {
  /** For people, e.g. `File-based energy pipeline`. */
  title: string;
  /** Its services. */
  programs: readonly ServiceProgram[];
  /** Absolute path of the blueprint whose containers they are. */
  blueprint_file: string;
  /** Absolute path of the folder for results and logs, unless `--data-dir` names another. */
  data_dir: string;
  /** Absolute path of the script that submits further workflows. */
  submit_script: string;
  /** Variables for all services, beside `EXECUTION_STYLE`. @default none */
  extra?: Readonly<Record<string, string>>;
  /** The whole text of `--help`. */
  help: string;
  /** What its command line has beside `--data-dir`, `--keep`, `--json` and `--help`; texts all of them. */
  options: readonly string[];
  /** What its workflow begins with. @throws UsageError for options that make no sense */
  toInput(options: OwnOptions): DemoInput;
  /** What came out of a workflow that completed, while its services still run. @throws Error when it is not there */
  toResult(outcome: RunOutcome, place: DemoPlace): Promise<DemoResult>;
}

/** The options of a demo's own. */
export interface OwnOptions {
  /** As given, by name. */
  values: Readonly<Record<string, string | undefined>>;
  /** The absolute path of one that the user typed. */
  toPath(given: string): string;
}

/** What a workflow begins with. */
export interface DemoInput {
  reference: DataReference;
  /** For people. */
  description: string;
  /** Further folders that the services may read from. @default none */
  data_roots?: readonly string[];
  /** Whether a person would wonder what the services are doing: then they are concurrent and report progress. */
  is_long: boolean;
}

/** How a demo ran. */
export interface DemoPlace {
  /** The key that the services ask for. */
  services_api_key: string | undefined;
}

/** What is shown at the end. */
export interface DemoResult {
  /** The report, for a terminal, without a line break at its end. */
  text: string;
  /** Absolute paths of the files that have it, with their titles. */
  files: readonly (readonly [title: string, path: string])[];
  /** Fields of the line of JSON. */
  fields: Readonly<Record<string, unknown>>;
}
