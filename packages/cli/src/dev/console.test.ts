import { describe, expect, it } from "vitest";
import { createDevConsole } from "./console.ts";

const at = new Date(2030, 0, 1, 12, 30, 5);
const task = { workflow_id: "wf-1", task_id: "t-1", method: "Train" };

function createScreen(isTTY: boolean) {
  let written = "";
  const output = { isTTY, columns: 60, rows: 10, write: (text: string) => (written += text) };
  return { console: createDevConsole(output, () => at), written: () => written };
}

describe("the console", () => {
  it("is a line per change where there is no terminal", () => {
    const { console, written } = createScreen(false);
    console.tell({ type: "task", ...task, status: "running", progress: 40, message: "epoch 2" });
    console.show([{ ...task, status: "running", progress: 40 }]);
    console.tell({ type: "task", ...task, status: "failed", error: "bad\x1b[2J", duration_ms: 1500 });
    console.tell({ type: "log", level: "warn", text: "two\nlines" });
    expect(written()).toBe(
      [
        "12:30:05  > Train running 40%  wf-1/t-1: epoch 2",
        "12:30:05  ! Train failed in 1.5 s  wf-1/t-1: bad\uFFFD[2J",
        "12:30:05  | warn: two",
        "          lines",
        "",
      ].join("\n"),
    );
  });

  it("keeps the tasks that run below the lines of a terminal, and never wraps", () => {
    const { console, written } = createScreen(true);
    const running = Array.from({ length: 9 }, (_, index) => ({
      ...task,
      workflow_id: `wf-${index}`,
      status: "running" as const,
      progress: 50,
      message: "m".repeat(100),
    }));
    console.show(running);
    const first = written().split("\n");
    expect(first.length).toBe(8);
    expect(first[0]).toMatch(/^ {2}Train \[#{10}-{10}\] {2}50% {2}wf-0 {2}m+$/);
    expect(Math.max(...first.map((line) => line.length))).toBe(59);
    expect(first[6]).toBe("  and 3 more");
    console.tell({ type: "log", level: "info", text: "hello" });
    expect(written()).toContain("\x1b[7A\x1b[J12:30:05  | hello\n  Train");
    console.show([]);
    expect(written().endsWith("\x1b[7A\x1b[J")).toBe(true);
  });
});
