import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Document, isMap, isSeq, parseDocument, YAMLSeq } from "yaml";
import type { ReportDocument } from "../report/document.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { type FlagGroup, readFlags } from "./flags.ts";
import { defaultKnownFailing, parseKnownFailing } from "./known-failing.ts";
import { readReport } from "./read-report.ts";

/** The flags of `baseline`. */
export const baselineFlags: readonly FlagGroup[] = [
  {
    title: "Options",
    flags: [
      { name: "known-failing", value: "FILE", help: "the file (known-failing.yaml)" },
      { name: "reason", value: "TEXT", help: "of new entries (what was found)" },
      {
        name: "until",
        value: "DATE",
        help: "of new entries: from the day after on they fail again, as in 2030-01-31",
      },
      { name: "help", help: "this text" },
    ],
  },
];

/** Writes what fails now into the known-failing file, or takes out what does not fail any more. @returns the exit code */
export async function baseline(args: readonly string[], context: CommandContext): Promise<number> {
  const { given, positionals } = readFlags("baseline", args, baselineFlags);
  const [action, path, ...rest] = positionals;
  if ((action !== "write" && action !== "prune") || path === undefined || rest.length > 0) {
    throw new UsageError(
      "Expected an action and a JSON report, as in: aieffect-conformance baseline write report.json",
    );
  }
  const until = given.get("until")?.[0];
  if (until !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(until)) {
    throw new UsageError(`Expected --until to be a date, as in 2030-01-31, found "${until}"`);
  }
  const report = await readReport(path, context);
  const name = given.get("known-failing")?.[0] ?? defaultKnownFailing;
  const file = resolve(context.folder, name);
  const text = existsSync(file) ? await readFile(file, "utf8") : "";
  const entries = parseKnownFailing(text, name);
  const document = text.trim() === "" ? new Document([]) : parseDocument(text);
  const list = listIn(document);
  const changed: string[] = [];
  if (action === "write") {
    for (const one of failing(report)) {
      if (entries.some(({ id }) => id === one.id)) continue;
      const reason = given.get("reason")?.[0] ?? one.reason;
      list.add(document.createNode({ id: one.id, reason, ...(until !== undefined && { until }) }));
      changed.push(one.id);
    }
  } else {
    const gone = new Set(entries.map(({ id }) => id).filter((id) => !stillFails(id, report)));
    list.items = list.items.filter((item) => !(isMap(item) && gone.has(String(item.get("id")))));
    changed.push(...gone);
  }
  await writeFile(file, document.toString());
  const did = action === "write" ? "added" : "taken out";
  context.stdout.write(`${name}: ${changed.length === 0 ? "nothing" : changed.join(" ")} ${did}\n`);
  return exitCodes.conformant;
}

/** The list itself, so that comments and order stay. */
function listIn(document: Document): YAMLSeq {
  if (isSeq(document.contents)) return document.contents as YAMLSeq;
  const under = isMap(document.contents) ? document.get("known-failing") : undefined;
  if (isSeq(under)) return under as YAMLSeq;
  const list = new YAMLSeq();
  if (isMap(document.contents)) document.set("known-failing", list);
  else document.contents = list as never;
  return list;
}

function failing({ cases }: ReportDocument): { id: string; reason: string }[] {
  return cases.flatMap(({ id, status, findings }) => {
    if (status !== "fail") return [];
    const [first] = findings.filter((finding) => finding.status === "fail");
    return [{ id, reason: first === undefined ? "fails" : `${first.code}: found ${first.found}` }];
  });
}

/** One that was not tested may still fail: it stays. */
function stillFails(id: string, { cases }: ReportDocument): boolean {
  const status = cases.find((one) => one.id === id)?.status;
  if (status === undefined) return false;
  return status !== "pass" && status !== "warn" && status !== "info";
}
