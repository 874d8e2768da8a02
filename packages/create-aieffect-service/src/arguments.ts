import { parseArgs } from "node:util";
import { ScaffoldError } from "@aieffect/generators";

const flags = {
  name: { type: "string" },
  template: { type: "string" },
  style: { type: "string" },
  data: { type: "string" },
  operation: { type: "string", multiple: true },
  example: { type: "string" },
  into: { type: "string" },
  pm: { type: "string" },
  install: { type: "boolean" },
  git: { type: "boolean" },
  verify: { type: "boolean" },
  "dry-run": { type: "boolean" },
  diff: { type: "boolean" },
  merge: { type: "boolean" },
  overwrite: { type: "boolean" },
  yes: { type: "boolean", short: "y" },
  interactive: { type: "boolean" },
  json: { type: "boolean" },
  quiet: { type: "boolean" },
  version: { type: "boolean", short: "v" },
  help: { type: "boolean", short: "h" },
} as const;

/** What was given on the command line. */
export type Given = ReturnType<typeof readArguments>;

/** Reads the command line of what was called like that. @throws ScaffoldError AE1204 */
export function readArguments(argv: readonly string[], calledBy = "npm create aieffect-service --") {
  // `pnpm create x -- --flag` hands the "--" on; behind one, flags would be folders.
  const args = argv[0] === "--" ? argv.slice(1) : argv;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: flags,
      allowPositionals: true,
      allowNegative: true,
    });
    if (positionals.length > 1) {
      throw new TypeError(`Expected one folder, found ${positionals.length}: ${positionals.join(", ")}`);
    }
    const empty = Object.entries(values).find(([, value]) => value === "");
    if (empty !== undefined) throw new TypeError(`Expected a value after --${empty[0]}, found none`);
    if (values.merge && values.overwrite) {
      throw new TypeError("Expected --merge or --overwrite, found both");
    }
    if (values.diff && !values["dry-run"]) throw new TypeError("Expected --dry-run with --diff, found none");
    return { ...values, dir: positionals[0] };
  } catch (cause) {
    throw new ScaffoldError("AE1204", {
      message: (cause as Error).message.split(". To specify")[0] ?? "",
      tries: [`${calledBy} --help`],
      cause,
    });
  }
}
