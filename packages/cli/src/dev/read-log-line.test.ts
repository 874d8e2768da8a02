import { describe, expect, it } from "vitest";
import { readLogLine } from "./read-log-line.ts";

const ids = { workflow_id: "w", task_id: "t", method: "Mean" };
const read = (fields: object) => readLogLine(JSON.stringify(fields));

describe("a line of a service's log", () => {
  it("tells of tasks, in whatever language it was written", () => {
    expect(read({ level: 30, ...ids, handle: "h", status: "running", duration_ms: 0, msg: "x" })).toEqual({
      kind: "task",
      news: { ...ids, handle: "h", status: "running" },
    });
    expect(read({ levelname: "INFO", ...ids, status: "complete", duration_ms: 12 })).toMatchObject({
      kind: "task",
      news: { status: "complete", duration_ms: 12 },
    });
    expect(read({ ...ids, status: "failed" })).toMatchObject({ news: { error: "it did not say why" } });
  });

  it.each([
    [
      { level: 40, ...ids, err: { message: "m", stack: "Error: m\n  at x" }, msg: "threw" },
      "warn",
      "threw: Error: m\n  at x",
    ],
    [{ level: "ERROR", message: "no disk" }, "error", "no disk"],
    [{ level: 30, msg: "listening" }, "info", "listening"],
    [{ a: 1 }, "info", '{"a":1}'],
  ])("is a note otherwise: %j", (fields, level, text) => {
    expect(read(fields)).toEqual({ kind: "note", level, text });
  });

  it("is passed over where it is for debugging, or empty; what is no JSON stays as it is", () => {
    for (const nothing of ['{"level":20,"msg":"x"}', '{"level":"debug","msg":"x"}', " "]) {
      expect(readLogLine(nothing)).toEqual({ kind: "nothing" });
    }
    expect(readLogLine("{half")).toEqual({ kind: "note", level: "info", text: "{half" });
  });
});
