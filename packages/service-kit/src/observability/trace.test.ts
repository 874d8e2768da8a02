import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCorrelationId } from "./correlation.ts";
import { continueTrace, readTrace, toTraceIds, toTraceparent } from "./trace.ts";

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(..."0123456789abcdef"), { minLength: length, maxLength: length })
    .map((digits) => digits.join(""))
    .filter((text) => /[^0]/.test(text));
const ids = fc.record({ trace_id: hex(32), span_id: hex(16), flags: fc.nat(255) });

describe("a traceparent", () => {
  it("is read as it was put together, and continued under another span id with the same flags", () => {
    fc.assert(
      fc.property(ids, (given) => {
        const traceparent = toTraceparent(given);
        expect(toTraceIds(traceparent)).toEqual(given);
        const next = toTraceIds(continueTrace(readTrace({ traceparent }))?.traceparent ?? "");
        expect(next).toEqual({ ...given, span_id: expect.not.stringMatching(given.span_id) });
      }),
    );
  });

  it.each([
    undefined,
    "",
    `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
    `00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`,
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, 00-x",
  ])("is none that reads %s", (traceparent) => {
    expect(readTrace({ traceparent, tracestate: "a=1" })).toBeUndefined();
    expect(continueTrace(undefined)).toBeUndefined();
  });
});

describe("a correlation id", () => {
  it("has 1 to 256 printable characters (R-LOG-02)", () => {
    const printable = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 256 });
    fc.assert(
      fc.property(printable, (id) => {
        expect(readCorrelationId({ "x-correlation-id": id })).toBe(id);
        expect(readCorrelationId({ "x-correlation-id": `${id}\u00e4` })).toBeUndefined();
        expect(readCorrelationId({ "x-correlation-id": id.padEnd(257) })).toBeUndefined();
      }),
    );
    expect(readCorrelationId({ "x-correlation-id": "" })).toBeUndefined();
    expect(readCorrelationId({})).toBeUndefined();
  });
});
