import { toPlot } from "./plot.ts";
import type { Summary } from "./summarize.ts";

/** The report as one page that needs neither a network nor scripts, for light and dark screens. */
export function toPage(summary: Summary, workflow_id: string): string {
  const { metrics, axis, unplotted } = summary;
  const rows = metrics.map(
    ([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  const notes = [
    ...(axis === "row" ? ["The timestamps are not ISO 8601, so the plot goes by the rows of the file."] : []),
    ...(unplotted > 0
      ? [`${unplotted} readings have a timestamp that is not ISO 8601; they are not in the plot.`]
      : []),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Household energy report</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Household energy report</h1>
<p class="quiet">Workflow ${escapeHtml(workflow_id)}</p>
<table>
<thead><tr><th scope="col">Metric</th><th scope="col">Value</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
<h2>Consumption</h2>
<ul class="legend">
<li><span class="key line"></span>mean</li>
<li><span class="key area"></span>least to most</li>
<li><span class="key point"></span>anomalies (at the highest of them)</li>
</ul>
${toPlot(summary)}
${notes.map((note) => `<p class="quiet">${note}</p>`).join("\n")}
</main>
</body>
</html>
`;
}

const style = `
:root { color-scheme: light dark; --text: #1c2330; --quiet: #5b6575; --page: #fff; --rule: #d9dee6; --mean: #1f5fa8; --anomaly: #c2410c; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6eaf0; --quiet: #9aa5b5; --page: #141920; --rule: #333c48; --mean: #76b3f5; --anomaly: #ff9256; }
}
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
.quiet { color: var(--quiet); margin: 0.25rem 0 1rem; }
table { border-collapse: collapse; } th, td { padding: 0.3rem 1.2rem 0.3rem 0; border-bottom: 1px solid var(--rule); text-align: left; }
tbody th { font-weight: normal; } td { text-align: right; font-variant-numeric: tabular-nums; padding-right: 0; }
.legend { display: flex; flex-wrap: wrap; gap: 1.5rem; list-style: none; padding: 0; margin: 0 0 0.5rem; }
.key { display: inline-block; vertical-align: middle; margin-right: 0.5rem; width: 1.5rem; }
.line { height: 2px; background: var(--mean); } .area { height: 0.8rem; background: var(--mean); opacity: 0.25; }
.point { width: 0.6rem; height: 0.6rem; border-radius: 50%; background: var(--anomaly); }
svg { width: 100%; height: auto; } svg text { fill: var(--quiet); font-size: 12px; }
.level { text-anchor: end; dominant-baseline: middle; } .time, .unit { text-anchor: middle; } svg .unit { fill: var(--text); font-size: 13px; }
.grid, .tick { stroke: var(--rule); } .band { fill: var(--mean); opacity: 0.25; stroke: none; }
.mean { fill: none; stroke: var(--mean); stroke-width: 1.5; } .dot { fill: var(--mean); } .anomaly { fill: var(--anomaly); }
`;

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
