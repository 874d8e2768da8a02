import { describe, expect, it } from "vitest";
import { helpOf } from "./help.ts";

const general = helpOf(undefined);
const names = [...general.matchAll(/^ {2}aieffect ((?:export compose|[a-z-]+))\b/gm)].map(
  ([, name = ""]) => name,
);

describe("help", () => {
  it("names every command", () => {
    expect([...names].sort()).toEqual(
      ["add", "build-script", "check", "dev", "doctor", "export", "export compose", "graph", "import"].concat(
        ["info", "test", "try", "why"],
      ),
    );
  });

  it.each(names)("teaches %s, on any terminal", (name) => {
    const text = helpOf(name);
    expect(text).toMatch(new RegExp(`^aieffect ${name}: .*\\n\\nUsage:\\n {2}aieffect ${name}\\b`));
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(150);
  });
});
