import { codes } from "../codes/codes.ts";
import type { CaseResult, CaseStatus, Finding } from "../engine/case.ts";
import type { RunEvent } from "../engine/events.ts";
import type { Verdict } from "../engine/report.ts";
import { toDocument } from "./document.ts";
import { oneLine, printable, spell } from "./printable.ts";
import { toReplay } from "./replay.ts";
import { createRedactor, type Secret } from "./secrets.ts";
import { countsInWords, missingByReason, verdictsInWords } from "./words.ts";

/** Where it is shown: standard output, or a test's. */
interface ConsoleOutput {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** How it is shown. */
export interface ConsoleOptions {
  output: ConsoleOutput;
  /** @default on a terminal */
  color?: boolean | undefined;
  /** Only what failed, and the verdicts. @default false */
  quiet?: boolean | undefined;
  secrets: readonly Secret[];
  /** Where the evidence of a case is kept, if it is. */
  evidenceOf?: (case_id: string) => string | undefined;
}

type Style = "red" | "green" | "yellow" | "blue" | "dim" | "bold";

const styles: Record<Style, number> = { red: 31, green: 32, yellow: 33, blue: 34, dim: 2, bold: 1 };

const marks: Record<CaseStatus, readonly [mark: string, style: Style]> = {
  pass: ["pass", "green"],
  fail: ["FAIL", "red"],
  warn: ["warn", "yellow"],
  info: ["info", "blue"],
  untestable: ["?", "dim"],
  "not-applicable": ["-", "dim"],
  inconclusive: ["busy", "yellow"],
  "known-failing": ["known", "yellow"],
  skipped: ["-", "dim"],
};

const verdictStyles: Record<Verdict, Style> = {
  CONFORMANT: "green",
  "CONFORMANT EXCEPT": "yellow",
  "NON-CONFORMANT": "red",
  "NOT PROVEN": "yellow",
};

/** So many findings of a case are shown. */
const mostFindings = 3;

/** Shows a run as it goes: a line a case, a failure at once with all that helps, the verdicts at the end. */
export function createConsoleReporter(options: ConsoleOptions): (event: RunEvent) => void {
  const { output, quiet = false, secrets } = options;
  const color = options.color ?? output.isTTY ?? false;
  const redactor = createRedactor(secrets);
  const paint = (style: Style, text: string) => (color ? `\x1b[${styles[style]}m${text}\x1b[0m` : text);
  const say = (text = "") => void output.write(`${text}\n`);
  const clean = (text: string) => printable(redactor.text(text));
  let target = "";
  let hasPending = false;

  /** The line of what runs now, on a terminal, goes when there is something to say. */
  function clear(): void {
    if (hasPending) output.write("\r\x1b[2K");
    hasPending = false;
  }

  function showCase(result: CaseResult): void {
    const { case: one, status, reason } = result;
    const isBad = status === "fail";
    // What did not run is told at the end, by reason.
    if (status === "untestable" || status === "not-applicable" || status === "skipped") return;
    if (quiet && !isBad) return;
    const [mark, style] = marks[status];
    const why = reason === undefined ? "" : `  ${clean(oneLine(reason))}`;
    const times = paint("dim", `  ${spell(result.duration_ms)}`);
    say(`  ${paint(style, mark.padEnd(5))} ${one.id.padEnd(4)} ${one.slug}${times}${why}`);
    const findings = result.findings.filter((finding) => finding.status !== "info" || status === "info");
    if (status === "pass") return;
    // One of a kind: a fault that is everywhere is told once.
    const kinds = findings.filter(
      ({ code }, at) => findings.findIndex((other) => other.code === code) === at,
    );
    for (const finding of kinds.slice(0, mostFindings)) showFinding(finding, result);
    const more = findings.length - Math.min(kinds.length, mostFindings);
    if (more > 0) field("", `and ${more} more findings`);
    if (isBad) {
      field("so", one.consequence);
      field("fix", one.fix);
      const folder = options.evidenceOf?.(one.id);
      if (folder !== undefined) field("proof", folder);
      say();
    }
  }

  function showFinding({ status, code, expected, found, exchanges }: Finding, result: CaseResult): void {
    if (status === "info" || result.status === "known-failing") {
      field("told", `${code}: ${expected}; found ${found}`);
      return;
    }
    say(`        ${paint("bold", code)} ${codes[code].means}`);
    field("expected", expected);
    field("found", found);
    if (status !== "fail") return;
    field("fix", codes[code].fix);
    const last = exchanges.at(-1);
    if (last !== undefined) say(`        ${paint("dim", "replay".padEnd(9))}${replayOf(last)}`);
  }

  function replayOf(exchange: Finding["exchanges"][number]): string {
    return printable(toReplay(exchange, { base_url: target, redactor }));
  }

  function field(name: string, text: string): void {
    say(`        ${paint("dim", name.padEnd(9))}${clean(oneLine(text, 1000))}`);
  }

  return (event) => {
    if (event.type === "run.start") {
      target = event.target;
      const { suite_version, seed, planned } = event;
      say(`aieffect-conformance ${suite_version}: ${clean(target)}, ${planned.length} cases, seed ${seed}`);
      say();
    }
    if (event.type === "case.start" && output.isTTY && !quiet) {
      output.write(paint("dim", `  ...   ${event.case.id.padEnd(4)} ${event.case.slug}`));
      hasPending = true;
    }
    if (event.type === "case.end") {
      clear();
      showCase(event.result);
    }
    if (event.type !== "run.end") return;
    clear();
    const { report } = event;
    const { cases } = toDocument({ ...report, exchanges: [] }, { secrets });
    const missing = missingByReason(cases);
    if (missing.length > 0) {
      say();
      say(`Not tested, and what to do about it:`);
      for (const [reason, all] of missing) {
        say(`  ${all.map(({ id }) => id).join(" ")}`);
        say(`      ${printable(oneLine(reason, 1000))}`);
      }
    }
    say();
    for (const { profile, verdict, because, counts } of report.profiles) {
      const ids = because.length > 12 ? [...because.slice(0, 12), "..."] : because;
      const why = ids.length === 0 ? "" : `: ${ids.join(" ")}`;
      const name = paint(verdictStyles[verdict], verdict.padEnd(18));
      say(`  ${profile.padEnd(14)}${name}${countsInWords(counts)}${why}`);
    }
    say();
    for (const entry of report.stale) say(`stale known-failing entry ${clean(entry)}`);
    if (report.interrupted) say("Interrupted: what is not told here did not run.");
    const seconds = `${report.exchanges.length} requests in ${spell(report.duration_ms)}`;
    say(`${paint(verdictStyles[report.verdict], paint("bold", report.verdict))} (${seconds})`);
    say(verdictsInWords[report.verdict]);
    const needsSamples = missing.some(([reason]) => reason.includes("aieffect-conformance init"));
    if (needsSamples) say(`To test more, say what may be called: aieffect-conformance init ${clean(target)}`);
  };
}
