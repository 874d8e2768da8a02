import { expect, it } from "vitest";
import { parseManifest, samplesOf } from "./manifest.ts";

it.each([
  ["{ x: 1 }", { x: 1 }],
  ["[1, { y: 2 }]", [1, { y: 2 }]],
  ["[]", []],
  ["5", 5],
  ["null", null],
  ["'{\"x\": [1]}'", { x: [1] }],
  ["some text", "some text"],
])("reads !json %s", (text, value) => {
  const yaml = `methods: { M: { samples: { a: { inputs: [{ protocol: inline, uri: !json ${text}, format: json }] } } } }`;
  const [sample] = samplesOf(parseManifest(yaml), () => "either");
  expect(sample?.inputs[0]?.uri).toEqual({ $json: value });
});

it("reads !json of a list that stands on lines of its own", () => {
  const yaml = [
    "methods:",
    "  M:",
    "    samples:",
    "      a:",
    "        inputs:",
    "          - protocol: inline",
    "            format: json",
    "            uri: !json",
    "              - 1",
    "              - x: 2",
  ].join("\n");
  const [sample] = samplesOf(parseManifest(yaml), () => "either");
  expect(sample?.inputs[0]?.uri).toEqual({ $json: [1, { x: 2 }] });
});

it("takes a section of which all lines are comments for one that is not there", () => {
  expect(parseManifest("methods:\n  # Mean:\n  #   mode: sequential\nclaims:\n").methods).toEqual({});
  expect(() => parseManifest("[1]")).toThrow("conformance.yaml: (top): ");
});
