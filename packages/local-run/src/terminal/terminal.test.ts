import { describe, expect, it, onTestFinished } from "vitest";
import { createProgressDisplay, type ShownTask } from "./progress-display.ts";
import { formatBytes, formatTable } from "./table.ts";

describe("formatTable", () => {
  it("makes columns as wide as their widest cell", () => {
    const table = formatTable(
      [
        ["Total Records", "720"],
        ["Rate", "5.14"],
      ],
      { header: ["Report", ""], right: [1] },
    );
    expect(table).toBe(
      ["  Report", "  -------------  ----", "  Total Records   720", "  Rate           5.14"].join("\n"),
    );
  });

  it("takes rows of different lengths, and none", () => {
    expect(formatTable([["a"], ["bb", "c"]], { indent: "" })).toBe("a\nbb  c");
    expect(formatTable([])).toBe("");
  });
});

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [35_526, "35.5 kB"],
  [1e9, "1.0 GB"],
  [5e15, "5000.0 TB"],
])("writes %d bytes as %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

describe("createProgressDisplay", () => {
  function display(live: boolean) {
    const written: string[] = [];
    let time = 0;
    const shown = createProgressDisplay({
      stream: { write: (text) => written.push(text), columns: 60 },
      live,
      now: () => time,
    });
    onTestFinished(shown.end);
    return { shown, written, pass: (ms: number) => (time += ms) };
  }
  const task = (status: string, rest: Partial<ShownTask> = {}) => ({ node_key: "a1:Go", status, ...rest });

  it("writes a line at each change of status and quarter of progress where nothing can be redrawn", () => {
    const { shown, written, pass } = display(false);
    shown.update([task("pending")]);
    shown.update([task("running")]);
    shown.update([task("running", { progress: 10 })]);
    pass(1500);
    shown.update([task("running", { progress: 26, message: "half way" })]);
    shown.update([task("running", { progress: 30 })]);
    pass(500);
    shown.update([task("completed", { progress: 100 })]);
    shown.update([task("completed", { progress: 100 })]);
    expect(written).toEqual([
      "  running  a1:Go                                   0.0 s\n",
      "  running  a1:Go                                   1.5 s  26 % half way\n",
      "  done     a1:Go                                   2.0 s\n",
    ]);
  });

  it("redraws its lines in place on a terminal, cut to its width", () => {
    const { shown, written } = display(true);
    shown.update([
      task("running", { message: "a message that is too long" }),
      { node_key: "b1:Go", status: "pending" },
    ]);
    shown.update([task("failed", { error: "broken" }), { node_key: "b1:Go", status: "pending" }]);
    expect(written).toEqual([
      "\u001b[2K  running  a1:Go                                   0.0 s\n\u001b[2K  waiting  b1:Go\n",
      "\u001b[2A\u001b[2K  FAILED   a1:Go                                   0.0 s\n\u001b[2K  waiting  b1:Go\n",
    ]);
  });
});
