import { describe, expect, it } from "vitest";
import { whyNotFormat } from "./why-not-format.ts";

describe("whether bytes are of a format", () => {
  it.each([
    ["json", '{"a":NaN}'],
    ["json", "\ufeff[1]"],
    ["csv", "a,b\r\n1,2\r\n"],
    ["csv", Buffer.from("Größe;1\n", "latin1")],
    ["csv", Buffer.from("\ufeffa;b\n", "utf16le")],
    ["xml", '\ufeff<?xml version="1.0"?><a/>'],
    ["xml", "\n<a/>"],
    ["parquet", "PAR1....PAR1"],
    ["binary", ""],
    ["protobuf", "\0\x01"],
  ])("takes %s: %j", (format, bytes) => {
    expect(whyNotFormat(Buffer.from(bytes as string), format)).toBeUndefined();
  });

  it.each([
    ["json", "{'a':1}", "Expected a key in double quotes"],
    ["json", "", "Expected a JSON value"],
    ["csv", "", "it is empty"],
    ["csv", "a\0b", "there are zero bytes in it"],
    ["xml", '{"a":"<b>"}', "it does not begin with <"],
    ["parquet", "a,b\n", "it does not begin and end with PAR1"],
  ])("says why %s is not: %j", (format, bytes, why) => {
    expect(whyNotFormat(Buffer.from(bytes), format)).toContain(why);
  });
});
