import type { DocumentCase, ReportDocument } from "./document.ts";
import { oneLine, printable, spell } from "./printable.ts";
import { countsInWords, isTroubled, missingByReason, verdictsInWords } from "./words.ts";

/** What a job summary may have. */
const mostBytes = 2 ** 20;

const icons = {
  CONFORMANT: "✅",
  "CONFORMANT EXCEPT": "🟡",
  "NON-CONFORMANT": "❌",
  "NOT PROVEN": "⚪",
} as const;

/** The report for a job summary or a comment. Never longer than 1 MiB: what does not fit is left out, and that is said. */
export function toMarkdown(document: ReportDocument): string {
  const { cases } = document;
  const sections = [
    summary(document),
    ...cases.filter(({ status }) => status === "fail").map((one) => caseSection(one, document)),
    ...cases
      .filter((one) => isTroubled(one) && one.status !== "fail")
      .map((one) => caseSection(one, document)),
    ...notTested(cases),
    table(cases),
  ];
  const kept: string[] = [];
  let bytes = 0;
  for (const [at, section] of sections.entries()) {
    bytes += Buffer.byteLength(section) + 2;
    if (bytes > mostBytes - 200) {
      kept.push(`*${sections.length - at} more sections do not fit here; the HTML report has all of them.*`);
      break;
    }
    kept.push(section);
  }
  return `${kept.join("\n\n")}\n`;
}

function summary({ verdict, target, profiles, stale, interrupted, ...rest }: ReportDocument): string {
  const rows = profiles.map(
    (one) =>
      `| ${one.profile} | ${icons[one.verdict]} ${one.verdict} | ${countsInWords(one.counts)} | ${one.because.join(" ")} |`,
  );
  return [
    `# ${icons[verdict]} ${verdict}`,
    "",
    `${code(target)}: ${verdictsInWords[verdict]}`,
    "",
    "| profile | verdict | cases | because of |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    ...stale.map((entry) => `- stale known-failing entry ${inline(entry)}`),
    ...(interrupted ? ["", "**The run was interrupted: what is missing here did not run.**"] : []),
    `aieffect-conformance ${rest.suite_version}, ${rest.requests} requests in ${spell(rest.duration_ms)}, seed ${rest.seed}`,
  ].join("\n");
}

function caseSection(one: DocumentCase, { exchanges }: ReportDocument): string {
  const findings = one.findings
    .filter(({ status }) => status !== "info")
    .slice(0, 10)
    .map((finding) => {
      const last = exchanges.find(({ n }) => n === finding.exchanges.at(-1));
      return [
        `**${code(finding.code)}** ${prose(finding.means)}`,
        "",
        `- expected: ${inline(finding.expected)}`,
        `- found: ${inline(finding.found)}`,
        `- fix: ${prose(finding.fix)}`,
        ...(last === undefined ? [] : ["", fenced("sh", last.replay)]),
      ].join("\n");
    });
  const reason = one.reason === null ? [] : [`${inline(one.reason)}`, ""];
  return [
    `## ${one.status}: ${one.id} ${one.slug}`,
    "",
    ...reason,
    `${prose(one.holds)}.`,
    "",
    `> ${prose(one.consequence)}`,
    "",
    ...one.rules.map(({ id, text }) => `- ${id}: ${prose(text)}`),
    "",
    `Fix: ${prose(one.fix)}`,
    "",
    findings.join("\n\n"),
  ].join("\n");
}

function notTested(cases: readonly DocumentCase[]): string[] {
  const missing = missingByReason(cases);
  if (missing.length === 0) return [];
  const lines = missing.map(([reason, all]) => `- ${all.map(({ id }) => id).join(" ")}: ${inline(reason)}`);
  return [["## Not tested, and what to do about it", "", ...lines].join("\n")];
}

function table(cases: readonly DocumentCase[]): string {
  const rows = cases.map(
    ({ id, slug, level, status, reason }) =>
      `| ${id} | ${slug} | ${level} | ${status} | ${inline(reason ?? "")} |`,
  );
  const head = ["| case | | level | status | why |", "| --- | --- | --- | --- | --- |"];
  return ["## All cases", "", ...head, ...rows].join("\n");
}

/** A text of ours, in which backticks mark code. */
function prose(text: string): string {
  const parts = text.split(/(`[^`]+`)/);
  return parts.map((part, at) => (at % 2 === 1 ? part : inline(part))).join("");
}

/** Text that Markdown does not act on. */
function inline(text: string): string {
  return oneLine(text, 2000)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replace(/[\\`*_[\]|~#@$]/g, (one) => `&#${one.charCodeAt(0)};`)
    .replace(/:\/\//g, "&#58;//");
}

function code(text: string): string {
  const clean = oneLine(text, 300).replaceAll("|", "¦");
  const fence = fenceFor(clean, 1);
  return `${fence}${fence.length > 1 ? ` ${clean} ` : clean}${fence}`;
}

function fenced(language: string, text: string): string {
  const fence = fenceFor(text, 3);
  return `${fence}${language}\n${printable(text)}\n${fence}`;
}

/** More backticks than any run of them in the text. */
function fenceFor(text: string, least: number): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  return "`".repeat(Math.max(least, longest + 1));
}
