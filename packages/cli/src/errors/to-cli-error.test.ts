import { readFile, rm } from "node:fs/promises";
import { ControlError } from "@aieffect/control-interface";
import { describe, expect, it } from "vitest";
import { UsageError } from "../usage-error.ts";
import { toCliError } from "./to-cli-error.ts";

describe("what a command threw", () => {
  it("is a bug where nobody meant it; the report has where, and nothing of the command line", async () => {
    const error = await toCliError(new TypeError("x is undefined"), "try");
    expect(error).toMatchObject({
      code: "AE1101",
      exitCode: 1,
      message: "This is a bug of aieffect: x is undefined",
    });
    const [, report = ""] = /^the report is in (.+)$/.exec(error.state ?? "") ?? [];
    const text = await readFile(report, "utf8");
    await rm(report);
    expect(text).toMatch(
      /^aieffect try\nnode v\d+.*\n\nTypeError: x is undefined\n {4}at .*to-cli-error\.test/,
    );
    expect(text).not.toContain(process.argv.at(-1));
  });

  it("is told as an interruption where something was given up", async () => {
    const given = await toCliError(new ControlError("aborted", "GET x: given up by the caller"), "try");
    expect(given).toMatchObject({ code: "AE9130", exitCode: 130 });
  });

  it.each([
    [new UsageError("Expected one file"), "AE2001", 2],
    [new ControlError("invalid_reference", "Invalid DataReference"), "AE2001", 2],
    [new ControlError("internal", "The disk is gone"), "AE1001", 1],
    [Object.assign(new Error("open: no entry"), { code: "ENOENT", syscall: "open" }), "AE1001", 1],
    [new Error("Could not write x"), "AE1001", 1],
  ])("is told as it is otherwise: %s", async (thrown, code, exitCode) => {
    expect(await toCliError(thrown, "try")).toMatchObject({
      code,
      exitCode,
      message: thrown.message,
      cause: thrown,
    });
  });
});
