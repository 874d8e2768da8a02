import { createInlineReference } from "@aieffect/control-interface";
import { describe, expect, it } from "vitest";
import { createMemoryStore, defineOperation } from "../index.ts";
import { createExecution } from "../tasks/execution.ts";
import { start } from "../testing/start.ts";

describe("retention", () => {
  const begin = async (
    store: ReturnType<typeof createMemoryStore>,
    workflow_id: string,
    task_id: string,
    created_at: number,
  ) => {
    const handle = `${workflow_id}-${task_id}`;
    await store.begin(
      createExecution(
        handle,
        { workflow_id, task_id, method: "M" },
        "concurrent",
        "f",
        created_at,
        undefined,
      ),
      undefined,
    );
    return handle;
  };

  it("leaves the newest of those that remain under a raw task_id (R-RUN-05)", async () => {
    const store = createMemoryStore({ max_tasks: 1 });
    const running = await begin(store, "a", "t", 1);
    const old = await begin(store, "b", "t", 2);
    await store.update(old, { status: "complete", ended_at: 2 });
    await store.update(await begin(store, "c", "u", 3), { status: "complete", ended_at: 3 });
    expect((await store.prune(100_000)).map(({ handle }) => handle)).toEqual([old]);
    expect((await store.find("t"))?.handle).toBe(running);
  });

  it("counts neither running tasks nor drops small results for large ones (R-RUN-09)", async () => {
    const store = createMemoryStore({ max_tasks: 2, max_bytes: 10_000 });
    for (const id of ["r1", "r2", "r3"]) await begin(store, "w", id, 1);
    await store.update(await begin(store, "w", "small", 2), { status: "complete", ended_at: 2 });
    const large = await begin(store, "w", "large", 3);
    const output = createInlineReference("x".repeat(20_000), "csv");
    await store.update(large, { status: "complete", ended_at: 3, output });
    expect((await store.prune(100_000)).map(({ handle }) => handle)).toEqual([large]);
  });

  it("goes on when the folder of one task cannot be removed", async () => {
    let now = 0;
    const echo = defineOperation({ name: "Echo", run: (ctx) => ctx.publish("{}", { format: "json" }) });
    const { execute, service, lines } = await start([echo], {
      now: () => now,
      store: createMemoryStore({ max_age_s: 1 }),
    });
    await execute("Echo", { task_id: "a" });
    const [first] = [...(await service.parts.store.find("a").then((found) => [found]))];
    Object.assign(first ?? {}, { folder: "/not/ours" });
    await execute("Echo", { task_id: "b" });
    now += 100_000;
    await service.parts.engine.prune();
    const b = await service.parts.plane.createTaskFolder("wf-1", "b");
    expect(b.endsWith("b")).toBe(true);
    await expect.poll(lines).toContainEqual(expect.objectContaining({ folder: "/not/ours", level: 50 }));
  });
});
