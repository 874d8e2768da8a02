import type { DocumentCase, ReportDocument } from "./document.ts";
import { escapeHtml, toPage } from "./html-page.ts";
import { oneLine } from "./printable.ts";

const marks: Record<DocumentCase["status"], readonly [mark: string, style: string]> = {
  pass: ["✓", "good"],
  fail: ["✗", "bad"],
  warn: ["!", "warn"],
  info: ["i", "tell"],
  untestable: ["?", "grey"],
  "not-applicable": ["–", "grey"],
  inconclusive: ["~", "warn"],
  "known-failing": ["(✗)", "warn"],
  skipped: ["", "grey"],
};

/** A report with the name it has in the matrix. */
export interface NamedReport {
  name: string;
  document: ReportDocument;
}

interface Row {
  one: DocumentCase;
  cells: (DocumentCase | undefined)[];
}

/** Every case that any of the reports has, in the order of the first. */
function rowsOf(reports: readonly NamedReport[]): Row[] {
  const known = new Map<string, DocumentCase>();
  for (const { document } of reports)
    for (const one of document.cases) known.set(one.id, known.get(one.id) ?? one);
  return [...known.values()].map((one) => ({
    one,
    cells: reports.map(({ document }) => document.cases.find(({ id }) => id === one.id)),
  }));
}

/** Services by cases, for Markdown. */
export function toMarkdownMatrix(reports: readonly NamedReport[]): string {
  const clean = (text: string) =>
    oneLine(text, 80).replace(/[|<>`*_[\]]/g, (one) => `&#${one.charCodeAt(0)};`);
  const names = reports.map(({ name }) => clean(name));
  const verdicts = reports.map(({ document }) => document.verdict);
  const rows = rowsOf(reports).map(({ one, cells }) => {
    const shown = cells.map((cell) => (cell === undefined ? "" : marks[cell.status][0]));
    return `| ${one.id} ${one.slug} | ${shown.join(" | ")} |`;
  });
  return [
    `| case | ${names.join(" | ")} |`,
    `| --- |${" --- |".repeat(reports.length)}`,
    `| **verdict** | ${verdicts.join(" | ")} |`,
    ...rows,
    "",
    "✓ passed, ✗ failed, (✗) known to fail, ! warned, i told, ? not tested, ~ inconclusive, – not applicable",
    "",
  ].join("\n");
}

/** Services by cases, as a page in one file. */
export function toHtmlMatrix(reports: readonly NamedReport[]): string {
  const heads = reports.map(
    ({ name, document }) =>
      `<th scope="col">${escapeHtml(oneLine(name, 80))}<br><span class="small">${escapeHtml(oneLine(document.target, 80))}</span></th>`,
  );
  const verdicts = reports.map(
    ({ document }) => `<td><span class="pill ${verdictStyle(document)}">${document.verdict}</span></td>`,
  );
  const rows = rowsOf(reports).map(({ one, cells }) => {
    const shown = cells.map((cell) => {
      if (cell === undefined) return "<td></td>";
      const [mark, style] = marks[cell.status];
      const found = cell.findings.map(({ code, found }) => `${code}: ${found}`)[0] ?? cell.reason ?? "";
      return `<td><span class="pill ${style}" title="${escapeHtml(oneLine(found, 300))}">${mark} ${cell.status}</span></td>`;
    });
    return `<tr><th scope="row" title="${escapeHtml(one.holds)}">${one.id} ${one.slug}</th>${shown.join("")}</tr>`;
  });
  return toPage(
    "Services by cases",
    `<header><div><h1>Services by cases</h1><p class="soft">What aieffect-conformance found out about ${reports.length} services.</p></div></header>
<main><h2>Matrix</h2><div class="scroll" tabindex="0" role="region" aria-label="Services by cases"><table>
<caption>A row a case, a column a service.</caption>
<thead><tr><th scope="col">case</th>${heads.join("")}</tr></thead>
<tbody><tr><th scope="row">verdict</th>${verdicts.join("")}</tr>${rows.join("\n")}</tbody></table></div></main>`,
  );
}

function verdictStyle({ verdict }: ReportDocument): string {
  if (verdict === "CONFORMANT") return "good";
  if (verdict === "NON-CONFORMANT") return "bad";
  return verdict === "NOT PROVEN" ? "grey" : "warn";
}
