import { pathToFileURL } from "node:url";
import { type Problem, type ProblemCode, toLine } from "../problems/problem.ts";

/** What each code is about, for readers of a report. */
const titles: Readonly<Record<ProblemCode, string>> = {
  unreadable: "A file cannot be read",
  syntax: "Not the JSON or the proto that it should be",
  field: "A field is missing, wrong or unknown",
  "unknown-service": "No such service",
  "ambiguous-service": "A name that means several services",
  "unknown-method": "No such RPC",
  "method-needed": "Which RPC is meant is not said",
  "unmapped-folder": "A folder without a mapping",
  "missing-folder": "A mapping without a folder",
  "proto-count": "Not exactly one proto",
  "message-mismatch": "Connected messages differ",
  cycle: "The pipeline goes in a circle",
  unreachable: "A node that nothing leads to",
  duplicate: "Said twice",
  import: "An import that is not there",
  unprintable: "What a rewritten proto cannot have",
  strict: "More than the profile ai4eu-strict allows",
  "name-clash": "Two become one",
  name: "A name that cannot be used",
  "host-port": "A port of this machine that is not published",
  "no-method": "A proto without an RPC",
  start: "Where the pipeline begins",
  exists: "The output is there already",
};

/** One problem a line, as compilers print them, and their number. */
export function toText(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  return [
    ...problems.map(toLine),
    `${count(errors, "error")}, ${count(problems.length - errors, "warning")}`,
    "",
  ].join("\n");
}

/** For programs: `{"problems": [...]}`. */
export function toJson(problems: readonly Problem[]): string {
  return `${JSON.stringify({ problems }, null, 2)}\n`;
}

/**
 * SARIF 2.1.0, which code hosts show beside the lines (OASIS, Static Analysis Results Interchange Format).
 *
 * @param folder what the files of the problems are relative to
 */
export function toSarif(problems: readonly Problem[], folder: string): string {
  const rules = [...new Set(problems.map(({ code }) => code))].sort();
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "aieffect check",
            rules: rules.map((id) => ({ id, shortDescription: { text: titles[id] } })),
          },
        },
        originalUriBaseIds: { USECASE: { uri: `${pathToFileURL(folder).href.replace(/\/$/, "")}/` } },
        results: problems.map(({ code, severity, file, line, message, fix }) => ({
          ruleId: code,
          ruleIndex: rules.indexOf(code),
          level: severity,
          message: { text: `${message}. ${fix}` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: {
                  uri: file.split("/").map(encodeURIComponent).join("/"),
                  uriBaseId: "USECASE",
                },
                ...(line !== undefined && line > 0 && { region: { startLine: line } }),
              },
            },
          ],
        })),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
