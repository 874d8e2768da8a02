import { readFile } from "node:fs/promises";
import { fixturesOf, needs } from "@aieffect/test-support";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replyKinds, statusWords } from "../reading/read-reply.ts";
import { formats, protocols } from "../reference/data-reference.ts";
import { compareRecorded } from "./compare.ts";
import { judgeReply } from "./judge.ts";

const ref = { protocol: "http", uri: "http://svc:8080/control/data/1", format: "csv" };
const judge = (body: unknown, status?: number) =>
  judgeReply({ kind: "execute", body: { plain: body }, ...(status !== undefined && { status }) });

const recorded = fixturesOf("oracle/replies.jsonl");

describe("judgeReply", () => {
  it.skipIf(needs("the recorded verdicts of the deployed orchestrator", recorded))(
    "agrees with every recorded verdict",
    async () => {
      const lines = (await readFile(recorded as string, "utf8")).split("\n").filter((line) => line !== "");
      expect(lines.length).toBeGreaterThanOrEqual(2500);
      expect(lines.map((line) => compareRecorded(line)).filter(({ agrees }) => !agrees)).toEqual([]);
    },
  );

  it.each([
    [{ status: "complete", output: ref }, "completes"],
    [{ status: "complete", output: null }, "completes empty"],
    [{ status: "complete" }, "completes empty"],
    [{ status: "running", task_id: "wf1:task_1" }, "polls"],
    [{ status: "running", task_id: "a/b" }, "polls"],
    [{ status: "running" }, "hangs"],
    [{ status: "running", task_id: "" }, "hangs"],
    [{ status: "running", task_id: null }, "hangs"],
    [{ status: "running", task_id: 7 }, "fails"],
    [{ status: "failed", error: "boom" }, "fails"],
    [{ status: "failed" }, "fails"],
    [{ status: "completed", output: ref }, "fails"],
    [{ status: "failed", error: { title: "boom" } }, "fails"],
    [[], "fails"],
  ])("execute %j: the task %s", (body, outcome) => {
    expect(judge(body).outcome).toBe(outcome);
  });

  it.each([
    [{ status: "running", progress: 50 }, "polls"],
    [{ status: "running", progress: true }, "polls"],
    [{ status: "running", progress: 33.3 }, "fails"],
    [{ status: "complete" }, "completes"],
    [{ status: "failed", error: "x" }, "fails"],
  ])("status %j: the task %s", (body, outcome) => {
    expect(judgeReply({ kind: "status", body: { plain: body } }).outcome).toBe(outcome);
  });

  it("does not look at the body of a 4xx or 5xx, and at nothing else below", () => {
    expect(judge({ status: "complete", output: ref }, 503)).toMatchObject({
      accepted: false,
      outcome: "fails",
      rules: ["R-READ-01"],
    });
    for (const status of [200, 201, 202, 302]) {
      expect(judge({ status: "complete", output: ref }, status).outcome).toBe("completes");
    }
  });

  it("says why, in words and by rule", () => {
    expect(judge({ status: "complete", output: { ...ref, format: "png", checksum: "abc" } })).toEqual({
      accepted: false,
      fields: ["output.checksum"],
      outcome: "fails",
      why: 'Expected checksum to be "algorithm:value", found "abc"',
      rules: ["R-REF-13"],
    });
    expect(judge({ status: "complete", output: { ...ref, format: "png" } }).why).toBe(
      'Expected format to be one of json, csv, parquet, protobuf, binary, xml (lower case), found "png"',
    );
    expect(judge({ status: "running" })).toMatchObject({
      accepted: true,
      why: "Expected running to carry the task_id to poll with, found nothing; the task stays running for ever",
    });
    expect(judgeReply({ kind: "execute", body: "<html>" }).why).toBe(
      'Expected a JSON body. Expected a JSON value at character 0, found "<html>"',
    );
  });

  it("reads payloads of many megabytes", () => {
    const uri = Buffer.alloc(12 * 2 ** 20, 7).toString("base64");
    const output = { protocol: "inline", uri, format: "binary" };
    expect(judge({ status: "complete", output }).outcome).toBe("completes");
    expect(judge({ status: "complete", output: { ...output, uri: `${uri.slice(0, -1)}-` } }).outcome).toBe(
      "fails",
    );
    expect(judge({ status: "complete", output: { ...output, uri: uri.slice(0, -1) } }).outcome).toBe("fails");
  });

  it("never throws and never contradicts itself, for any body", () => {
    const values = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(...statusWords, ...protocols, ...formats, "http://x", "e30="),
    );
    const references = fc.record(
      {
        protocol: values,
        uri: values,
        format: values,
        size_bytes: values,
        checksum: values,
        metadata: values,
      },
      { requiredKeys: [] },
    );
    const bodies = fc.oneof(
      values,
      fc.record(
        { status: values, output: fc.oneof(references, values), task_id: values },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...replyKinds), bodies, (kind, body) => {
        const verdict = judgeReply({ kind, body: JSON.stringify(body) });
        expect(verdict.accepted).toBe(verdict.fields === undefined);
        expect(verdict.accepted).toBe(verdict.read_as !== undefined);
        if (!verdict.accepted) expect(verdict.outcome).toBe("fails");
        expect(verdict.why).not.toBe("");
        expect(verdict.rules.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe("integers as the deployed orchestrator reads them", () => {
  const read = (progress: string) =>
    judgeReply({ kind: "status", body: `{"status":"running","progress":${progress}}` });

  it.each([
    ["50", 50],
    ["50.0", 50],
    ['" 7 "', 7],
    ['"+5"', 5],
    ['"007"', 7],
    ['"1_000"', 1000],
    ['"1_0.00"', 10],
    ['"-0"', 0],
    ["-1", -1],
    ["true", 1],
    ['"\\u00a05\\u0085"', 5],
    ["100000000000000000000", 1e20],
  ])("%s is %i", (text, value) => {
    expect(read(text).read_as).toEqual({ status: "running", progress: value });
  });

  it.each([
    '"5."',
    '".0"',
    '"1__0"',
    '"_1"',
    '"1_"',
    '"1.0_0"',
    '"0x10"',
    '"1e2"',
    '""',
    '" "',
    '"50%"',
    "1e20",
    "9.3e18",
    "NaN",
    "33.3",
    "[]",
    '"\\ufeff5"',
    '"٥"',
    `"${"9".repeat(4301)}"`,
  ])("%s is refused", (text) => {
    expect(read(text).fields).toEqual(["progress"]);
  });
});
