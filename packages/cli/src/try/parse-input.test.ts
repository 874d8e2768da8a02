import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseInput } from "./parse-input.ts";
import { toParameters } from "./to-parameters.ts";

const name = fc.string({ minLength: 1 }).filter((text) => !text.includes("="));

describe("-i", () => {
  it("gives back every text that is a parameter", () => {
    fc.assert(
      fc.property(name, fc.string(), (key, value) => {
        const escaped = value.startsWith("@") ? `@${value}` : value;
        expect(parseInput(`${key}=${escaped}`)).toEqual({ kind: "parameter", name: key, text: value });
        const schema = { properties: { [key]: { type: "string" } } };
        expect(toParameters(new Map([[key, value]]), schema)).toEqual({ [key]: value });
      }),
    );
  });

  it("gives back every JSON value", () => {
    fc.assert(
      fc.property(name, fc.jsonValue(), (key, value) => {
        const sent = JSON.parse(JSON.stringify(value));
        const parameters = toParameters(new Map([[key, JSON.stringify(value)]]), undefined);
        expect(Object.entries(parameters)).toEqual([[key, sent]]);
      }),
    );
  });

  it("knows files, URLs and references, with their formats", () => {
    expect(parseInput("d=@a=b.PB")).toEqual({ kind: "file", name: "d", path: "a=b.PB", format: "protobuf" });
    expect(parseInput("d=@x.txt;format=csv")).toMatchObject({ path: "x.txt", format: "csv" });
    expect(parseInput("d=@https://h/x.csv?a=1")).toMatchObject({
      reference: { protocol: "https", uri: "https://h/x.csv?a=1", format: "csv" },
    });
    expect(parseInput('d=@{"protocol":"grpc","uri":"h:1","format":"Get"}')).toMatchObject({
      reference: { protocol: "grpc", format: "Get" },
    });
    expect(() => parseInput("d=@x.txt;format=text")).toThrow(
      'Expected one of json, csv, parquet, protobuf, binary, xml, found "text"',
    );
    expect(() => parseInput("d=@ftp://x.csv")).toThrow('found "ftp"');
    expect(() => parseInput("=x")).toThrow("Expected -i to be name=value");
  });
});
