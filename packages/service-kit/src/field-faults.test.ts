/** The faults that deployed services have; ours has none of them. (Restart and replicas come with durable stores.) */
import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { createMemoryStore, defineOperation } from "./index.ts";
import { gate, start } from "./testing/start.ts";

const echo = defineOperation({
  name: "Echo",
  run: (ctx) => ctx.publish(JSON.stringify(ctx.parameters), { format: "json", name: "result.json" }),
});
type Answer = { status: string; task_id: string; output: { uri: string } };

describe("task-id collision", () => {
  it("two workflows that send the same task_id get each its own result", async () => {
    const gates = { "wf-a": gate(), "wf-b": gate() };
    const slow = defineOperation({
      name: "Slow",
      async run(ctx) {
        await gates[ctx.workflow_id as "wf-a"].opened;
        return ctx.publish(JSON.stringify(ctx.parameters), { format: "json" });
      },
    });
    const { execute, call } = await start([slow], { style: "concurrent" });
    const [a, b] = await Promise.all(
      ["wf-a", "wf-b"].map(async (workflow_id) => {
        const { body } = await execute("Slow", { workflow_id, parameters: { from: workflow_id } });
        return (body as Answer).task_id;
      }),
    );
    expect(a).not.toBe(b);
    gates["wf-b"].open();
    gates["wf-a"].open();
    for (const [handle, from] of [
      [a, "wf-a"],
      [b, "wf-b"],
    ]) {
      await expect.poll(async () => (await call(`/control/data/${handle}`)).body).toEqual({ from });
    }
  });

  it("the raw task_id names the newest execution under it, and no old answer changes", async () => {
    const { execute, call } = await start([echo]);
    const first = (await execute("Echo", { parameters: { run: 1 } })).body as Answer;
    const second = (await execute("Echo", { parameters: { run: 2 } })).body as Answer;
    expect(first.output.uri).not.toBe(second.output.uri);
    expect((await call(new URL(first.output.uri).pathname)).body).toEqual({ run: 1 });
    expect((await call("/control/data/task-1")).body).toEqual({ run: 2 });
  });
});

describe("results", () => {
  it("of every execution lie in a folder of its own, whatever the ids", async () => {
    const { execute, folder } = await start([echo], { publish_as: "file" });
    const ids = ["task-1", "task-1", "../../escape", "a/b", "CON", ".", "x".repeat(500)];
    const uris: string[] = [];
    for (const task_id of ids) {
      const { body } = await execute("Echo", { task_id, workflow_id: "../wf", parameters: { task_id } });
      uris.push((body as Answer).output.uri);
    }
    expect(new Set(uris).size).toBe(ids.length);
    for (const uri of uris) expect(uri.startsWith(folder)).toBe(true);
  });

  it("for a plain workflow and task lie under their names", async () => {
    const { execute, folder } = await start([echo], { publish_as: "file" });
    const { output } = (await execute("Echo")).body as Answer;
    expect(output.uri).toBe(
      `${folder}/wf-1/task-1/result.json`.replaceAll("/", folder.includes("\\") ? "\\" : "/"),
    );
  });

  it("are kept for 10,000 tasks and 24 hours, but never dropped while they run or within a minute", async () => {
    let now = 1_000_000;
    const hold = gate();
    const held = defineOperation({ name: "Held", style: "concurrent", sink: true, run: () => hold.opened });
    const { execute, call, service, folder } = await start([echo, held], {
      now: () => now,
      store: createMemoryStore({ max_tasks: 1, max_age_s: 100 }),
    });
    await execute("Held", { task_id: "held" });
    for (const task_id of ["a", "b", "c"]) await execute("Echo", { task_id });
    await service.parts.engine.prune();
    expect((await call("/control/status/a")).status).toBe(200);
    now += 61_000;
    await service.parts.engine.prune();
    expect((await call("/control/status/a")).status).toBe(404);
    expect((await call("/control/status/b")).status).toBe(404);
    expect((await call("/control/status/c")).status).toBe(200);
    expect(readdirSync(`${folder}/wf-1`)).toEqual(["c"]);
    now += 50_000;
    await service.parts.engine.prune();
    expect((await call("/control/status/c")).status).toBe(404);
    expect(existsSync(`${folder}/wf-1/c`)).toBe(false);
    expect((await call("/control/status/held")).body).toMatchObject({ status: "running" });
    hold.open();
  });
});

describe("success that hides emptiness", () => {
  const returning = (value: unknown, more = {}) =>
    defineOperation({ name: "Op", run: () => value as undefined, ...more });
  const publishing = (text: string, more = {}) =>
    defineOperation({ name: "Op", run: (ctx) => ctx.publish(text, { format: "csv", as: "file" }), ...more });
  const run = async (operation: ReturnType<typeof returning>) =>
    (await (await start([operation])).execute("Op")).body;

  it("nothing returned is failed, unless declared a sink (R-RUN-07)", async () => {
    expect(await run(returning(undefined))).toMatchObject({
      status: "failed",
      error: expect.stringContaining("R-RUN-07"),
    });
    expect(await run(returning(undefined, { sink: true }))).toEqual({ status: "complete", output: null });
  });

  it.each(["a,b\n", "a,b", "a,b\r\n\r\n  \n", ""])(
    "a CSV %j without rows is failed, unless allowed (R-RUN-08)",
    async (text) => {
      expect(await run(publishing(text))).toMatchObject({
        status: "failed",
        error: expect.stringContaining("R-RUN-08"),
      });
      expect(await run(publishing(text, { allow_empty_csv: true }))).toMatchObject({ status: "complete" });
    },
  );

  it("also when it is returned as an inline or file reference of its own making", async () => {
    const uri = Buffer.from("a,b\n").toString("base64");
    expect(await run(returning({ protocol: "inline", uri, format: "csv" }))).toMatchObject({
      status: "failed",
    });
    const own = defineOperation({
      name: "Op",
      async run(ctx) {
        const path = `${await ctx.folder()}/own.csv`;
        await writeFile(path, "a,b\n");
        return { protocol: "file", uri: path, format: "csv" };
      },
    });
    expect(await run(own)).toMatchObject({ status: "failed", error: expect.stringContaining("R-RUN-08") });
    expect(
      await run(returning({ protocol: "file", uri: "/no/such/file.json", format: "json" })),
    ).toMatchObject({
      status: "failed",
      error: expect.stringContaining("/no/such/file.json"),
    });
  });

  it.each([
    [{ protocol: "http", uri: "http://svc/x", format: "BenchmarkResult" }, "R-REF-10"],
    [{ protocol: "http", uri: "/relative", format: "csv" }, "R-REF-05"],
    [{ protocol: "inline", uri: "not base64", format: "json" }, "R-REF-04"],
    [{ protocol: "file", uri: "/a", format: "json", size_bytes: 1.5 }, "R-REF-12"],
    [{ protocol: "file", uri: "/a", format: "json", metadata: null }, "R-REF-14"],
    ["a string", "R-REF-01"],
    [42, "R-REF-01"],
  ])("what the deployed orchestrator would reject never leaves: %j (R-RUN-10)", async (value, rule) => {
    expect(await run(returning(value))).toMatchObject({
      status: "failed",
      error: expect.stringContaining(rule),
    });
  });

  it("a failure always says something", async () => {
    for (const thrown of [new Error(""), undefined, null, "", 7, { status: 3 }]) {
      const broken = defineOperation({
        name: "Op",
        run() {
          throw thrown;
        },
      });
      const { status, error } = (await run(broken)) as { status: string; error: string };
      expect(status).toBe("failed");
      expect(error.trim()).not.toBe("");
    }
  });
});
