import { tempFolder } from "@aieffect/test-support";
import { describe, expect, it } from "vitest";
import { helpOf } from "./help.ts";
import { readArguments } from "./read-arguments.ts";
import { readInputs } from "./read-inputs.ts";
import { UsageError } from "./usage-error.ts";

describe("readArguments", () => {
  it("reads every option of run, behind the -- of a package manager", () => {
    const line = "-- run b.json d.json --input a.csv --input b.csv --services-api-key-env KEY --json";
    const limits = "--timeout 60 --call-timeout 1.5 --task-timeout 30 --allow-host 10.0.0.0/8 --allow-host x";
    expect(readArguments(`${line} ${limits}`.split(" "))).toEqual({
      command: "run",
      blueprint: "b.json",
      dockerinfo: "d.json",
      inputs: ["a.csv", "b.csv"],
      services_api_key_env: "KEY",
      json: true,
      timeout_s: 60,
      limits: { call_timeout_s: 1.5, task_timeout_s: 30, allow_hosts: ["10.0.0.0/8", "x"] },
    });
  });

  it("leaves out what was not given", () => {
    expect(readArguments(["serve"])).toEqual({ command: "serve", limits: {} });
  });

  it.each([
    [
      ["run", "b.json"],
      "Expected two files, the blueprint and the dockerinfo, found 1; see aieffect-orchestrator run --help",
    ],
    [
      ["run", "b.json", "d.json", "--inptu", "x"],
      /^Unknown option '--inptu'.*; see aieffect-orchestrator run --help$/s,
    ],
    [["run", "b.json", "d.json", "--timeout", "soon"], 'Expected --timeout to be a number, found "soon"'],
    [
      ["sreve"],
      'Expected the command serve, run or conformance, found "sreve"; see aieffect-orchestrator --help',
    ],
  ])("refuses %j", (args, message) => {
    expect(() => readArguments(args)).toThrow(UsageError);
    expect(() => readArguments(args)).toThrow(message);
  });

  it.each([
    [["--help"], undefined],
    [["help", "run"], "run"],
    [["serve", "-h"], "serve"],
    [["run", "--help"], "run"],
  ])("finds the help that %j asks for", (args, of) => {
    expect(readArguments(args)).toEqual({ command: "help", of });
    expect(helpOf(of)).toContain("Examples:");
  });
});

describe("readInputs", () => {
  it("takes URLs and references", async () => {
    const given = [
      "https://h/data.CSV?x=.json",
      "s3://bucket/a/b.parquet",
      '{"protocol":"villas","uri":"u","format":"json"}',
    ];
    expect(await readInputs(given, "/")).toEqual([
      { protocol: "https", uri: given[0], format: "csv", metadata: {} },
      { protocol: "s3", uri: given[1], format: "parquet", metadata: {} },
      { protocol: "villas", uri: "u", format: "json" },
    ]);
  });

  it.each([
    ["ftp://x/y.csv", "Expected --input with http, https, s3 or mqtt"],
    ["http://x/data", "Expected --input to end in .json, .csv"],
    ["{no json", "Expected --input to be a DataReference in JSON"],
    ["missing.csv", "Expected --input to be a file that can be read"],
  ])("refuses %s", async (input, message) => {
    await expect(readInputs([input], await tempFolder())).rejects.toThrow(message);
  });
});
