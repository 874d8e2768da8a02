import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { CliError, problems, toErrorJson, toErrorText } from "./cli-error.ts";

describe("errors", () => {
  it("have numbers of their own, which the README lists with their exit codes", async () => {
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    const listed = readme.split("\n").flatMap((line) => {
      const [, codes = "", , exit] = /^\| (AE[\dAE, ]+) \| (.*) \| (\d+) \|$/.exec(line) ?? [];
      return codes
        .split(", ")
        .filter(Boolean)
        .map((code) => `${code} ${exit}`);
    });
    const known = Object.values(problems).map(({ code, exit }) => `${code} ${exit}`);
    expect(listed.sort()).toEqual(known.sort());
    expect(new Set(Object.values(problems).map(({ code }) => code)).size).toBe(known.length);
  });

  it("are three lines for people, and one object for programs", () => {
    const error = new CliError("port-taken", "8080 is taken", {
      state: "nothing was started",
      fixes: ["a", "b"],
    });
    expect(toErrorText(error)).toBe(
      "error AE5002 port-taken  8080 is taken\n  nothing was started\n  try:  a | b\n",
    );
    expect(JSON.parse(toErrorJson(error))).toEqual({
      ok: false,
      error: {
        code: "AE5002",
        name: "port-taken",
        message: "8080 is taken",
        state: "nothing was started",
        try: ["a", "b"],
      },
      exit_code: 5,
    });
  });
});
