import type { DocumentCase, ReportDocument } from "./document.ts";
import { isTroubled } from "./words.ts";

/** The report for build servers: a suite a profile, a test a case. */
export function toJUnit(document: ReportDocument): string {
  const profiles = [...new Set(document.cases.map(({ profile }) => profile))];
  const suites = profiles.map((profile) => {
    const cases = document.cases.filter((one) => one.profile === profile);
    const verdict = document.profiles.find((one) => one.profile === profile)?.verdict ?? "not applicable";
    return [
      `  <testsuite name="${attribute(`aieffect ${profile}`)}" ${totals(cases)} timestamp="${attribute(document.started_at)}">`,
      `    <properties><property name="verdict" value="${attribute(verdict)}"/></properties>`,
      ...cases.map((one) => testCase(one, document)),
      "  </testsuite>",
    ].join("\n");
  });
  const name = attribute(`aieffect-conformance ${document.target}`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${name}" ${totals(document.cases)}>\n${suites.join("\n")}\n</testsuites>\n`;
}

function totals(cases: readonly DocumentCase[]): string {
  const time = cases.reduce((sum, { duration_ms }) => sum + duration_ms, 0) / 1000;
  const failures = cases.filter(({ status }) => status === "fail").length;
  return `tests="${cases.length}" failures="${failures}" errors="0" skipped="${cases.filter(isSkipped).length}" time="${time.toFixed(3)}"`;
}

function isSkipped({ status }: DocumentCase): boolean {
  return !["pass", "fail", "warn", "info"].includes(status);
}

function testCase(one: DocumentCase, document: ReportDocument): string {
  const head = `    <testcase classname="${attribute(`aieffect.${one.profile}`)}" name="${attribute(`${one.id} ${one.slug}`)}" time="${(one.duration_ms / 1000).toFixed(3)}"`;
  const inside: string[] = [];
  if (isSkipped(one)) {
    inside.push(`<properties><property name="status" value="${attribute(one.status)}"/></properties>`);
    inside.push(`<skipped message="${attribute(`${one.status}: ${one.reason ?? ""}`)}"/>`);
  }
  if (one.status === "fail") {
    const [first] = one.findings.filter(({ status }) => status === "fail");
    const message = first === undefined ? one.holds : `expected ${first.expected}, found ${first.found}`;
    inside.push(
      `<failure type="${attribute(first?.code ?? "")}" message="${attribute(message)}">${text(details(one, document))}</failure>`,
    );
  } else if (isTroubled(one) || one.status === "info") {
    inside.push(`<system-out>${text(details(one, document))}</system-out>`);
  }
  if (inside.length === 0) return `${head}/>`;
  return `${head}>\n${inside.map((line) => `      ${line}`).join("\n")}\n    </testcase>`;
}

/** All that helps, as plain text. */
function details(one: DocumentCase, { exchanges }: ReportDocument): string {
  const findings = one.findings.map((finding) => {
    const last = exchanges.find(({ n }) => n === finding.exchanges.at(-1));
    const replay = last === undefined ? [] : [`  replay: ${last.replay}`];
    return [
      `${finding.code}: ${finding.means}`,
      `  expected: ${finding.expected}`,
      `  found: ${finding.found}`,
      `  fix: ${finding.fix}`,
      ...replay,
    ].join("\n");
  });
  return [one.holds, `otherwise: ${one.consequence}`, `fix: ${one.fix}`, ...findings].join("\n");
}

function attribute(value: string): string {
  return text(value)
    .replaceAll('"', "&quot;")
    .replace(/[\t\n\r]/g, (one) => `&#${one.charCodeAt(0)};`);
}

/** Text as XML 1.0 allows it; what it does not allow at all becomes U+FFFD. */
function text(value: string): string {
  return (
    value
      .replace(/\p{Cs}/gu, "\uFFFD")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\uFFFD")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
  );
}
