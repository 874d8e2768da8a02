import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Blueprint, BlueprintNode } from "../plan/export-plan.ts";
import { layOut } from "./layout.ts";
import { toMermaid } from "./to-mermaid.ts";
import { toSvg } from "./to-svg.ts";

function node(container_name: string, operation_name: string, ...next: string[]): BlueprintNode {
  const signature = {
    operation_name,
    output_message_name: `${operation_name}Response`,
    input_message_name: "In",
    output_message_stream: false,
    input_message_stream: false,
  };
  const connected_to = next.map((one) => {
    const [container = "", operation = ""] = one.split(":");
    return { container_name: container, operation_signature: { operation_name: operation } };
  });
  return {
    proto_uri: "",
    image: "",
    node_type: next.length > 0 ? "MLModel" : "DataSink",
    container_name,
    operation_signature_list: [{ connected_to, operation_signature: signature }],
  };
}

function blueprint(name: string, ...nodes: BlueprintNode[]): Blueprint {
  return { nodes, name, pipeline_id: "", creation_date: "", type: "pipeline-topology/v2", version: "2.0" };
}

const join = blueprint(
  "Join",
  node("a1", "A", "c1:C"),
  node("b1", "B", "b2:B2"),
  node("b2", "B2", "c1:C"),
  node("c1", "C"),
);

describe("a drawing", () => {
  it("puts every node behind all that lead to it", () => {
    const { nodes, edges } = layOut(join);
    expect(nodes.map(({ id, column, row }) => [id, column, row])).toEqual([
      ["a1:A", 0, 0],
      ["b1:B", 0, 1],
      ["b2:B2", 1, 0],
      ["c1:C", 2, 0],
    ]);
    expect(edges).toContainEqual({ from: "b2:B2", to: "c1:C", message: "B2Response" });
  });

  it("is made of circles too, and of edges that lead nowhere", () => {
    const odd = blueprint("Odd", node("a1", "A", "b1:B"), node("b1", "B", "a1:A", "gone1:G"));
    expect(layOut(odd).nodes).toHaveLength(2);
    expect(toSvg(odd)).toContain("</svg>");
    expect(toMermaid(odd)).not.toContain("gone1");
  });

  it("as Mermaid names operations, containers and messages", () => {
    expect(toMermaid(join)).toBe(`---
title: "Join"
---
flowchart LR
  n0["A<br/><small>a1</small>"]
  n1["B<br/><small>b1</small>"]
  n2["B2<br/><small>b2</small>"]
  n3[("C<br/><small>c1</small>")]
  n0 -->|"AResponse"| n3
  n1 -->|"BResponse"| n2
  n2 -->|"B2Response"| n3
`);
  });

  it("stays one, whatever the types of its nodes are", () => {
    const odd = { ...join, nodes: join.nodes.map((one) => ({ ...one, node_type: "constructor" })) };
    expect(toMermaid(odd)).toContain('n0["A<br/>');
    expect(toSvg(odd)).toContain('class="box MLModel"');
  });

  it("stays one, whatever the names are", () => {
    const anyName = fc.string({ unit: "binary", maxLength: 30 });
    fc.assert(
      fc.property(anyName, anyName, anyName, (name, container, operation) => {
        const odd = blueprint(name, node(container, operation, "b1:B"), node("b1", "B"));
        const svg = toSvg(odd);
        // Only our own elements, and nothing that XML does not allow.
        expect(svg.match(/<script|<foreignObject|on\w+=/i)).toBeNull();
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are looked for.
        expect(svg).not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/);
        expect(svg.match(/<(?!\/?(svg|title|style|defs|marker|path|rect|text)[ >])/)).toBeNull();
        const lines = toMermaid(odd).split("\n");
        expect(lines.filter((line) => /^ {2}n\d+ -->/.test(line)).length).toBeLessThanOrEqual(1);
        expect(lines).toHaveLength(8);
      }),
      { numRuns: 15 },
    );
  });
});
