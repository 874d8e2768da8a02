import { describe, expect, it } from "vitest";
import { readWait } from "./prefer.ts";

describe("readWait", () => {
  it.each([
    ["wait=10", 10, "wait=10"],
    ["respond-async, wait=5", 5, "wait=5"],
    ['return=minimal; wait="3"', 3, "wait=3"],
    ["WAIT = 7", 7, "wait=7"],
    ["wait=600", 25, "wait=600"],
    ["wait=0", 0, "wait=0"],
  ])("%s", (header, wait_s, applied) => {
    expect(readWait(header)).toEqual({ wait_s, applied });
  });

  it.each([undefined, "", "wait", "wait=", "wait=-1", "wait=1.5", "wait=x", "await=5", "wait=99999999999"])(
    "%s is none",
    (header) => {
      expect(readWait(header)).toBeUndefined();
    },
  );
});
