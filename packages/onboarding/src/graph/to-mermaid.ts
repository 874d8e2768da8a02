import { type DrawnBlueprint, layOut } from "./layout.ts";

/** The pipeline as a Mermaid flowchart, which GitHub and most documentation tools draw. */
export function toMermaid(blueprint: DrawnBlueprint): string {
  const { name, nodes, edges } = layOut(blueprint);
  const keyOf = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const shape = { DataSource: ["([", "])"], MLModel: ["[", "]"], DataSink: ["[(", ")]"] } as const;
  const lines = nodes.map(({ id, container, operation, type }) => {
    const [open, close] = Object.hasOwn(shape, type) ? shape[type as keyof typeof shape] : shape.MLModel;
    return `  ${keyOf.get(id)}${open}"${text(operation)}<br/><small>${text(container)}</small>"${close}`;
  });
  const arrows = edges
    .filter(({ from, to }) => keyOf.has(from) && keyOf.has(to))
    .map(({ from, to, message }) => {
      const label = message === "" ? "" : `|"${text(message)}"|`;
      return `  ${keyOf.get(from)} -->${label} ${keyOf.get(to)}`;
    });
  return `---\ntitle: ${JSON.stringify(name)}\n---\nflowchart LR\n${[...lines, ...arrows].join("\n")}\n`;
}

/** Entities as Mermaid spells them. */
function text(value: string): string {
  return value.replace(/[^\p{L}\p{N} _.:,/-]/gu, (sign) => `#${sign.codePointAt(0)};`);
}
