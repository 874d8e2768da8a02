import * as fc from "fast-check";
import { expect, it } from "vitest";
import { readTime } from "./read-time.ts";

it.each([
  ["2025-01-31T12:30:00Z", "2025-01-31T12:30:00.000Z"],
  ["2025-01-31 12:30:00", "2025-01-31T12:30:00.000Z"],
  ["2025-01-31 12:30:00.123456", "2025-01-31T12:30:00.123Z"],
  ["2025-01-31T12:30+02:00", "2025-01-31T10:30:00.000Z"],
  ["2025-01-31T12:30:00-0130", "2025-01-31T14:00:00.000Z"],
  ["2025-01-31", "2025-01-31T00:00:00.000Z"],
])("reads %s", (text, time) => {
  expect(new Date(readTime(text) ?? Number.NaN).toISOString()).toBe(time);
});

it.each([
  "",
  "abc",
  "31.01.2025",
  "2025-02-31T00:00:00Z",
  "2025-13-01",
  "2025-01-01T25:00",
  "2025-01-01T10:61",
])("does not read %j", (text) => {
  expect(readTime(text)).toBeUndefined();
});

it("reads what Date writes", () => {
  const date = fc.date({ min: new Date("0100-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(date, (time) => {
      expect(readTime(time.toISOString())).toBe(time.getTime());
    }),
  );
});
