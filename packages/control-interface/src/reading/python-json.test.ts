import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromPlainValue, parsePythonJson, toPlainValue } from "./python-json.ts";

describe("parsePythonJson", () => {
  it("reads what JSON.parse reads, for any document", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 2), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        expect(toPlainValue(parsePythonJson(spaced))).toEqual(JSON.parse(text));
      }),
    );
  });

  it("refuses what JSON.parse refuses, but for Python's three literals", () => {
    const mutated = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.constantFrom("", ",", '"', "}", "]", "\\", "\u0001", "0", "-", "x", "\n", "."),
      )
      .map(([text, at, piece]) => {
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + piece + text.slice(cut + 1);
      });
    fc.assert(
      fc.property(mutated, (text) => {
        expect(outcomeOf(() => toPlainValue(parsePythonJson(text)))).toEqual(
          outcomeOf(() => JSON.parse(text)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("tells integers from floats", () => {
    expect(parsePythonJson("[1, 1.0, 1e2, -0, 100000000000000000000, 1e20]")).toEqual([
      1n,
      1,
      100,
      0n,
      100000000000000000000n,
      1e20,
    ]);
  });

  it("reads NaN and Infinity, and the last of repeated keys", () => {
    expect(parsePythonJson('{"a": NaN, "b": [Infinity, -Infinity], "c": 1, "c": "two"}')).toEqual({
      a: Number.NaN,
      b: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      c: "two",
    });
  });

  it("keeps a key __proto__ as data", () => {
    const value = parsePythonJson('{"__proto__": {"status": "complete"}}') as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect((value as { status?: unknown }).status).toBeUndefined();
    expect(Object.keys(toPlainValue(value as never) as object)).toEqual(["__proto__"]);
    expect(Object.keys(fromPlainValue(JSON.parse('{"__proto__": 1}')) as object)).toEqual(["__proto__"]);
  });

  const text = '{"status":"complete","note":"naïve ✓"}';
  it.each([
    ["UTF-8", Buffer.from(text)],
    ["UTF-8 with a byte order mark", Buffer.from(`\uFEFF${text}`)],
    ["UTF-16LE with a byte order mark", Buffer.from(`\uFEFF${text}`, "utf16le")],
    ["UTF-16LE", Buffer.from(text, "utf16le")],
    ["UTF-16BE", Buffer.from(text, "utf16le").swap16()],
    ["UTF-16BE with a byte order mark", Buffer.from(`\uFEFF${text}`, "utf16le").swap16()],
    ["UTF-32LE", utf32(text, true)],
    ["UTF-32BE", utf32(text, false)],
  ])("guesses the encoding as Python does: %s", (_name, bytes) => {
    expect(parsePythonJson(bytes)).toEqual(JSON.parse(text));
  });

  it.each([
    ["bytes that are no UTF-8", Buffer.from([0x7b, 0xff, 0x7d, 0x20, 0x20])],
    ["half a UTF-16 character", Buffer.from([0x7b, 0x00, 0x7d, 0x00, 0x20])],
    ["nothing", ""],
    ["more after the end", "{} {}"],
    ["1,000 levels", "[".repeat(1000) + "]".repeat(1000)],
    ["5,000 digits", "1".repeat(5000)],
    ["a lone surrogate half-escaped", '"\\ud8"'],
  ])("refuses %s with a SyntaxError", (_name, body) => {
    expect(() => parsePythonJson(body)).toThrow(SyntaxError);
  });

  it("survives 100,000 levels", () => {
    expect(() => parsePythonJson("[".repeat(100_000))).toThrow("Expected at most 900 levels");
  });

  it("says what was expected where", () => {
    expect(() => parsePythonJson('{"a": tru}')).toThrow('Expected a JSON value at character 6, found "tru}"');
  });
});

function outcomeOf(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch {
    return "refused";
  }
}

function utf32(text: string, littleEndian: boolean): Buffer {
  const points = [...text].map((character) => character.codePointAt(0) as number);
  const bytes = Buffer.alloc(points.length * 4);
  for (const [index, point] of points.entries()) {
    if (littleEndian) bytes.writeUInt32LE(point, index * 4);
    else bytes.writeUInt32BE(point, index * 4);
  }
  return bytes;
}
