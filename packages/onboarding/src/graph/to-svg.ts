import { type DrawnBlueprint, type GraphNode, layOut } from "./layout.ts";

const box = { width: 190, height: 56 };
const gap = { x: 150, y: 34 };
const margin = 24;
const titleHeight = 34;

const kinds: ReadonlySet<string> = new Set(["DataSource", "MLModel", "DataSink"]);

/** The pipeline as a drawing of its own, readable in light and dark, without fonts or scripts from elsewhere. */
export function toSvg(blueprint: DrawnBlueprint): string {
  const { name, nodes, edges } = layOut(blueprint);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const columns = Math.max(0, ...nodes.map(({ column }) => column)) + 1;
  const rows = Math.max(0, ...nodes.map(({ row }) => row)) + 1;
  const width = 2 * margin + columns * box.width + (columns - 1) * gap.x;
  const height = 2 * margin + titleHeight + rows * box.height + (rows - 1) * gap.y;
  const arrows = edges.flatMap(({ from, to, message }) => {
    const [start, end] = [byId.get(from), byId.get(to)];
    return start === undefined || end === undefined ? [] : [arrow(start, end, message)];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${text(name)}</title>
<style>
svg{--ink:#1b2430;--faint:#5b6775;--paper:#fff;--source:#dff3e4;--model:#e3ecfb;--sink:#f7e8d9;font-family:system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--ink:#e8edf3;--faint:#9aa7b5;--paper:#10161d;--source:#17402a;--model:#1b3358;--sink:#4d3218}}
rect.paper{fill:var(--paper)}text{fill:var(--ink);font-size:14px}text.small{fill:var(--faint);font-size:11px}text.name{font-size:17px;font-weight:600}
rect.box{stroke:var(--faint)}.DataSource{fill:var(--source)}.MLModel{fill:var(--model)}.DataSink{fill:var(--sink)}
path{fill:none;stroke:var(--faint);stroke-width:1.5}marker path{fill:var(--faint);stroke:none}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
<rect class="paper" width="${width}" height="${height}"/>
<text class="name" x="${margin}" y="${margin + 16}">${text(name)}</text>
${arrows.join("\n")}
${nodes.map(drawn).join("\n")}
</svg>
`;
}

function placeOf({ column, row }: GraphNode): { x: number; y: number } {
  return {
    x: margin + column * (box.width + gap.x),
    y: margin + titleHeight + row * (box.height + gap.y),
  };
}

function drawn(node: GraphNode): string {
  const { x, y } = placeOf(node);
  const middle = x + box.width / 2;
  return [
    `<rect class="box ${kinds.has(node.type) ? node.type : "MLModel"}" x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="8"/>`,
    `<text x="${middle}" y="${y + 25}" text-anchor="middle">${text(shortened(node.operation, 24))}</text>`,
    `<text class="small" x="${middle}" y="${y + 42}" text-anchor="middle">${text(shortened(node.container, 30))}</text>`,
  ].join("");
}

function arrow(start: GraphNode, end: GraphNode, message: string): string {
  const from = placeOf(start);
  const to = placeOf(end);
  const [x1, y1] = [from.x + box.width, from.y + box.height / 2];
  const [x2, y2] = [to.x, to.y + box.height / 2];
  const bend = Math.max(40, (x2 - x1) / 2);
  const label = `<text class="small" x="${(x1 + x2) / 2}" y="${(y1 + y2) / 2 - 6}" text-anchor="middle">${text(shortened(message, 26))}</text>`;
  return `<path d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}" marker-end="url(#tip)"/>${message === "" ? "" : label}`;
}

function shortened(value: string, length: number): string {
  return value.length <= length ? value : `${value.slice(0, length - 1)}…`;
}

/** As XML text; signs that XML does not allow at all are left out. */
function text(value: string): string {
  const allowed = [...value]
    .filter((sign) => /[\t\n\r\u0020-\ud7ff\ue000-\ufffd]|[\u{10000}-\u{10ffff}]/u.test(sign))
    .join("");
  return allowed.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
