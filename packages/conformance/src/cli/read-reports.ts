import { UsageError } from "./errors.ts";

/** What `--report` can name beside the console. */
export const fileKinds = ["json", "junit", "md", "html", "badge", "ndjson"] as const;
export type FileKind = (typeof fileKinds)[number];

/** The names of the reports in the folder of `--out`. */
export const namesInFolder: Readonly<Record<FileKind, string>> = {
  json: "report.json",
  junit: "junit.xml",
  md: "report.md",
  html: "report.html",
  badge: "badge.svg",
  ndjson: "events.ndjson",
};

/** Which reports are made, and where they go. */
export interface ReportChoice {
  console: boolean;
  /** A path of `-` is standard output. */
  files: readonly { kind: FileKind; path: string }[];
}

/** Reads `console,json=FILE,...`. @throws UsageError */
export function readReports(given: readonly string[] | undefined): ReportChoice {
  if (given === undefined) return { console: true, files: [] };
  let console = false;
  const files: { kind: FileKind; path: string }[] = [];
  for (const entry of given.flatMap((list) => list.split(","))) {
    const [name = "", path] = entry.split(/=(.*)/s);
    if (name === "console" && path === undefined) console = true;
    else if (isFileKind(name) && path) files.push({ kind: name, path });
    else {
      const known = fileKinds.map((kind) => `${kind}=FILE`).join(", ");
      throw new UsageError(`Expected --report console, ${known}, found "${entry}"`);
    }
  }
  if (files.filter(({ path }) => path === "-").length > 1) {
    throw new UsageError("Expected one report on standard output at most, found several with a FILE of -");
  }
  return { console, files };
}

function isFileKind(name: string): name is FileKind {
  return (fileKinds as readonly string[]).includes(name);
}
