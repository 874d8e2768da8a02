import { describe, expect, it } from "vitest";
import type { TaskView } from "../views/views.ts";
import { createProgress } from "./progress.ts";

const task = (node_key: string, more: Partial<TaskView> = {}): TaskView => ({
  task_id: node_key,
  node_key,
  status: "pending",
  created_at: "",
  updated_at: "",
  error: null,
  input_refs: [],
  output_refs: [],
  ...more,
});

describe("createProgress", () => {
  it("redraws a line per task on a terminal, cut to its width", () => {
    let text = "";
    const output = { isTTY: true, columns: 24, rows: 10, write: (more: string) => (text += more) };
    const progress = createProgress([task("a:A"), task("b:B")], output);
    text = "";
    progress.update({ kind: "task", task: task("b:B", { status: "failed", error: "a long error text" }) });
    expect(text).toBe("\x1b[2A\x1b[2K. a:A pending\n\x1b[2K! b:B failed: a long er\n");
  });

  it("writes a line per change where it cannot redraw", () => {
    const tasks = Array.from({ length: 30 }, (_, index) => task(`c${index}:Op`));
    let text = "";
    const progress = createProgress(tasks, { isTTY: true, rows: 24, write: (more) => (text += more) });
    progress.update({
      kind: "task",
      task: task("c3:Op", { status: "running", progress: 40, message: "again" }),
    });
    expect(text).toBe("> c3:Op running 40%: again\n");
  });
});
