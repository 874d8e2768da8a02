import { describe, expect, it } from "vitest";
import { selftest } from "./selftest.ts";

async function run(only: readonly string[]) {
  let text = "";
  const code = await selftest({ only, tolerant: true, out: { write: (piece: string) => (text += piece) } });
  return { code, lines: text.trim().split("\n") };
}

describe("the self-test", () => {
  it("proves what it is asked for, and says so at its end", async () => {
    const { code, lines } = await run(["status-completed", "E01"]);
    expect(lines.slice(-3, -1)).toEqual(["mutants killed 2/2", "benign clean 0/0"]);
    expect(code).toBe(0);
  });

  it("refuses names that it does not know", async () => {
    expect(await run(["nobody"])).toEqual({
      code: 64,
      lines: ["Expected ids of mutants, benign services or cases; found nobody"],
    });
  });
});
