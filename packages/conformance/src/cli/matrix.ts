import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { toHtmlMatrix, toMarkdownMatrix } from "../report/matrix.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { type FlagGroup, readFlags } from "./flags.ts";
import { readReport } from "./read-report.ts";
import { readReports } from "./read-reports.ts";

/** The flags of `matrix`. */
export const matrixFlags: readonly FlagGroup[] = [
  {
    title: "Options",
    flags: [
      {
        name: "report",
        value: "LIST",
        many: true,
        help: "md=FILE,html=FILE (md=-); a FILE of - is standard output",
      },
      { name: "help", help: "this text" },
    ],
  },
];

/** Puts several reports beside each other. @returns the exit code */
export async function matrix(args: readonly string[], context: CommandContext): Promise<number> {
  const { given, positionals } = readFlags("matrix", args, matrixFlags);
  if (positionals.length === 0) {
    throw new UsageError("Expected JSON reports, as in: aieffect-conformance matrix a.json b.json");
  }
  const { files } = readReports(given.get("report") ?? ["md=-"]);
  const wrong = files.find(({ kind }) => kind !== "md" && kind !== "html");
  if (wrong !== undefined)
    throw new UsageError(`Expected --report md=FILE or html=FILE, found ${wrong.kind}`);
  const documents = await Promise.all(positionals.map((path) => readReport(path, context)));
  const names = namesOf(positionals);
  const reports = documents.map((document, at) => ({ name: names[at] ?? "", document }));
  for (const { kind, path } of files) {
    const text = kind === "md" ? toMarkdownMatrix(reports) : toHtmlMatrix(reports);
    if (path === "-") context.stdout.write(text);
    else {
      const file = resolve(context.folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  }
  return exitCodes.conformant;
}

/** File names, or whole paths where those are equal (a/report.json, b/report.json). */
function namesOf(paths: readonly string[]): string[] {
  const short = paths.map((path) => basename(path).replace(/\.json$/, ""));
  return new Set(short).size === short.length
    ? short
    : paths.map((path) => path.replace(/(\/report)?\.json$/, ""));
}
