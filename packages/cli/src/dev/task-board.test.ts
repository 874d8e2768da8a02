import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTaskBoard, type TaskNews } from "./task-board.ts";

const news = fc.record(
  {
    workflow_id: fc.constantFrom("w", "w:t"),
    task_id: fc.constantFrom("t", "1"),
    status: fc.constantFrom("running" as const, "complete" as const, "failed" as const),
    handle: fc.option(fc.constantFrom("h1", "h2"), { nil: undefined }),
    progress: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
  },
  { requiredKeys: ["workflow_id", "task_id", "status"] },
) as fc.Arbitrary<TaskNews>;

describe("the board of tasks", () => {
  it("tells every end once, and lets no progress go down, whoever tells what and when", () => {
    fc.assert(
      fc.property(fc.array(news, { maxLength: 40 }), (all) => {
        const board = createTaskBoard();
        const told = new Map<string, TaskNews>();
        for (const one of all) {
          const changed = board.apply(one);
          if (changed === undefined) continue;
          const key = JSON.stringify([one.workflow_id, one.task_id]);
          const before = told.get(key);
          told.set(key, changed);
          if (before === undefined) continue;
          if (before.status === "running") {
            expect(changed.progress ?? 0).toBeGreaterThanOrEqual(before.progress ?? 0);
          } else {
            // After its end only another execution of it is news.
            expect([changed.status, changed.handle !== before.handle]).toEqual(["running", true]);
          }
        }
        const running = [...told.values()].filter(({ status }) => status === "running").length;
        expect(board.running().length).toBe(running);
        expect(board.lose("gone").map(({ status, error }) => [status, error])).toEqual(
          Array.from({ length: running }, () => ["failed", "gone"]),
        );
        expect(board.running()).toEqual([]);
      }),
    );
  });

  it("keeps what was told earlier, and a handle that comes later", () => {
    const board = createTaskBoard();
    const ids = { workflow_id: "w", task_id: "t" };
    board.apply({ ...ids, method: "Train", status: "running" });
    expect(board.apply({ ...ids, handle: "h", status: "running" })).toBeUndefined();
    const ended = board.apply({ ...ids, status: "complete", duration_ms: 5 });
    expect(ended).toEqual({ ...ids, method: "Train", handle: "h", status: "complete", duration_ms: 5 });
    expect(board.apply({ ...ids, handle: "h", status: "running" })).toBeUndefined();
  });
});
