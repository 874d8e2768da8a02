import type {
  DocumentBody,
  DocumentCase,
  DocumentExchange,
  DocumentFinding,
  ReportDocument,
} from "./document.ts";
import { escapeHtml, toPage } from "./html-page.ts";
import { printable, spell } from "./printable.ts";
import { countsInWords, isTroubled, missingByReason, verdictsInWords } from "./words.ts";

/** So many findings of a case, and exchanges of a finding, are shown. */
const mostFindings = 10;
const mostExchanges = 6;
/** So many bytes are shown as hex. */
const mostHex = 512;

const verdictClasses = {
  CONFORMANT: "good",
  "CONFORMANT EXCEPT": "warn",
  "NON-CONFORMANT": "bad",
  "NOT PROVEN": "grey",
} as const;

const statusMarks: Record<DocumentCase["status"], readonly [mark: string, style: string]> = {
  pass: ["✓", "good"],
  fail: ["✗", "bad"],
  warn: ["!", "warn"],
  info: ["i", "tell"],
  untestable: ["?", "grey"],
  "not-applicable": ["–", "grey"],
  inconclusive: ["~", "warn"],
  "known-failing": ["✗", "warn"],
  skipped: ["–", "grey"],
};

/** The report as a page in one file, that loads nothing: the verdict, and for every failure all that helps. */
export function toHtml(document: ReportDocument): string {
  const { cases } = document;
  const failed = cases.filter(({ status }) => status === "fail");
  const others = cases.filter((one) => isTroubled(one) && one.status !== "fail");
  const body = `<a class="skip" href="#findings">Skip to what was found</a>
${head(document)}
<main>
${profileTable(document)}
<div id="findings">
${section("What fails", failed, document, "fails")}
${section("What warns", others, document, "warns")}
</div>
${notTested(cases)}
${allCases(document)}
</main>`;
  return toPage(`${document.verdict}: ${printable(document.target)}`, body);
}

function head(document: ReportDocument): string {
  const { verdict, target, stale, interrupted } = document;
  const facts = [
    `aieffect-conformance ${document.suite_version}`,
    `${document.requests} requests in ${spell(document.duration_ms)}`,
    `seed ${document.seed}`,
    `begun ${document.started_at.replace("T", " ").replace(/\..*/, " UTC")}`,
    ...(document.server === null ? [] : [`served by ${document.server}`]),
  ];
  const notes = [
    ...(interrupted ? ["The run was interrupted: what is missing here did not run."] : []),
    ...stale.map((entry) => `Stale known-failing entry ${entry}`),
  ];
  return `<header><div>
<p class="verdict ${verdictClasses[verdict]}">${verdict}</p>
<h1>${show(target)}</h1>
<p>${verdictsInWords[verdict]}</p>
<p class="soft small">${facts.map(show).join(" · ")}</p>
${notes.map((note) => `<p class="small"><strong>${show(note)}</strong></p>`).join("\n")}
</div></header>`;
}

function profileTable({ profiles, cases }: ReportDocument): string {
  const rows = profiles.map((one) => {
    const chips = cases.filter(({ profile }) => profile === one.profile).map(chip);
    return `<tr><th scope="row">${one.profile}</th><td><span class="pill ${verdictClasses[one.verdict]}">${one.verdict}</span></td>
<td class="wide"><p class="small soft">${countsInWords(one.counts)}</p><div class="chips">${chips.join("")}</div></td></tr>`;
  });
  if (rows.length === 0) return "";
  return `<h2>Verdicts</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Verdicts by profile"><table>
<caption>One verdict a profile: a single MUST that fails decides, one that could not be tested leaves it open.</caption>
<thead><tr><th scope="col">profile</th><th scope="col">verdict</th><th scope="col">cases</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}

function chip(one: DocumentCase): string {
  const [mark, style] = statusMarks[one.status];
  const anchor = isTroubled(one) ? `#${one.id}` : `#row-${one.id}`;
  const label = escapeHtml(`${one.id} ${one.slug}: ${one.status}`);
  return `<a class="pill ${style}" href="${anchor}" title="${label}" aria-label="${label}">${mark} ${one.id}</a>`;
}

function section(
  title: string,
  cases: readonly DocumentCase[],
  document: ReportDocument,
  style: string,
): string {
  if (cases.length === 0) return "";
  return `<h2>${title} (${cases.length})</h2>\n${cases.map((one) => article(one, document, style)).join("\n")}`;
}

function article(one: DocumentCase, document: ReportDocument, style: string): string {
  const [mark, color] = statusMarks[one.status];
  const findings = one.findings.filter(({ status }) => status !== "info");
  const more = findings.length - mostFindings;
  const rules = one.rules.map(({ id, text }) => `<p class="rule"><strong>${id}</strong> ${prose(text)}</p>`);
  return `<article class="${style}" id="${one.id}" aria-labelledby="title-${one.id}">
<div class="title"><span class="pill ${color}">${mark} ${one.status}</span><h3 id="title-${one.id}">${one.id} ${one.slug}</h3>
<span class="soft small">${one.level}, ${one.checks} checks, ${spell(one.duration_ms)}</span></div>
${one.reason === null ? "" : `<p><strong>${show(one.reason)}</strong></p>`}
<dl>
<dt>What has to hold</dt><dd>${prose(one.holds)}</dd>
<dt>Otherwise</dt><dd>${prose(one.consequence)}</dd>
<dt>What to change</dt><dd>${prose(one.fix)}</dd>
</dl>
${rules.join("\n")}
${findings
  .slice(0, mostFindings)
  .map((finding, at) => findingOf(finding, document, at === 0))
  .join("\n")}
${more > 0 ? `<p class="soft">and ${more} more findings; the JSON report has them.</p>` : ""}
</article>`;
}

function findingOf(finding: DocumentFinding, { exchanges }: ReportDocument, isFirst: boolean): string {
  const own = finding.exchanges.flatMap((n) => exchanges.find((one) => one.n === n) ?? []);
  // The last is the one that shows it.
  const shown = own.slice(-mostExchanges);
  return `<div class="finding"><h4><code>${finding.code}</code> ${prose(finding.means)}</h4>
<dl><dt>Expected</dt><dd>${show(finding.expected)}</dd><dt>Found</dt><dd>${show(finding.found)}</dd><dt>Fix</dt><dd>${prose(finding.fix)}</dd></dl>
${shown.map((one, at) => exchangeOf(one, isFirst && at === shown.length - 1)).join("\n")}</div>`;
}

function exchangeOf(one: DocumentExchange, isOpen: boolean): string {
  const { request, reply, silence, received } = one;
  const answer = reply === null ? `no reply: ${silence?.message ?? ""}` : String(reply.status);
  const lines = request.headers.map(([name, value]) => `${name}: ${value}`);
  const replied = Object.entries(reply?.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  const came =
    received !== null
      ? bodyOf(received, "Bytes that came back")
      : reply === null
        ? `<p>${show(answer)}</p>`
        : `${pre([`HTTP ${reply.status}`, ...replied].join("\n"), "Head of the reply")}${bodyOf(reply.body, "Body of the reply")}`;
  return `<details${isOpen ? " open" : ""}><summary><code>${show(`${request.method} ${request.path}`.slice(0, 200))}</code> → <strong>${show(answer)}</strong> <span class="soft small">after ${spell(one.ended_at_ms - one.sent_at_ms)}</span></summary>
<div class="pair"><div><h4>Sent</h4>${pre([`${request.method} ${request.path}`, ...lines].join("\n"), "Head of the request")}${bodyOf(request.body, "Body of the request")}</div>
<div><h4>Came back</h4>${came}</div></div>
<h4>Send it again</h4>${pre(one.replay, "Command that sends it again")}</details>`;
}

function bodyOf(body: DocumentBody, label: string): string {
  if (body.bytes === 0) return `<p class="soft small">${label}: empty</p>`;
  const bytes = body.text === undefined ? Buffer.from(body.base64 ?? "", "base64") : Buffer.from(body.text);
  const text = body.text === undefined ? "" : pre(body.text, label);
  const note = body.cut ? `, the first ${bytes.length} are shown` : "";
  const size = `<p class="soft small">${body.bytes} bytes${note}</p>`;
  const hex = `<details${body.text === undefined ? " open" : ""}><summary class="small">as hex</summary><pre class="hex" tabindex="0" aria-label="${label} as hex">${hexOf(bytes)}</pre></details>`;
  return text + size + hex;
}

function hexOf(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, mostHex); at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = [...row].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "."));
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${escapeHtml(text.join(""))}`);
  }
  if (bytes.length > mostHex) lines.push("...");
  return lines.join("\n");
}

function notTested(cases: readonly DocumentCase[]): string {
  const missing = missingByReason(cases);
  if (missing.length === 0) return "";
  const rows = missing.map(
    ([reason, all]) =>
      `<tr><td><div class="chips">${all.map(chip).join("")}</div></td><td>${show(reason)}</td></tr>`,
  );
  return `<h2>Not tested, and what to do about it</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Cases that were not tested"><table>
<thead><tr><th scope="col">cases</th><th scope="col">what to add</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}

function allCases({ cases }: ReportDocument): string {
  const rows = cases.map((one) => {
    const [mark, style] = statusMarks[one.status];
    const name = isTroubled(one) ? `<a href="#${one.id}">${one.slug}</a>` : one.slug;
    return `<tr id="row-${one.id}"><th scope="row">${one.id}</th><td>${name}<br><span class="small soft">${prose(one.holds)}</span></td>
<td>${one.level}</td><td><span class="pill ${style}">${mark} ${one.status}</span>${one.reason === null ? "" : `<br><span class="small soft">${show(one.reason)}</span>`}</td></tr>`;
  });
  return `<h2>All cases</h2>
<div class="scroll" tabindex="0" role="region" aria-label="All cases"><table>
<caption>${cases.length} cases of the catalogue, those that did not run included.</caption>
<thead><tr><th scope="col">case</th><th scope="col">what has to hold</th><th scope="col">level</th><th scope="col">what it came to</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}

function pre(text: string, label: string): string {
  return `<pre tabindex="0" aria-label="${label}">${show(text)}</pre>`;
}

/** A text of ours, in which backticks mark code. */
function prose(text: string): string {
  return show(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

/** Text from anywhere, harmless. */
function show(text: string): string {
  return escapeHtml(printable(text.replaceAll("\r\n", "\n")));
}
