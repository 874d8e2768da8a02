import { checkReference, judgeReply } from "@aieffect/control-interface";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { defineOperation } from "./index.ts";
import { type Door, doors, gate, start } from "./testing/start.ts";

const operations = [
  defineOperation({
    name: "Echo",
    parameters: z.object({ text: z.string().default("nothing") }),
    run: (ctx) => ctx.publish(JSON.stringify(ctx.parameters.text), { format: "json" }),
  }),
  defineOperation({ name: "Sink", sink: true, run: () => undefined }),
  defineOperation({
    name: "Break",
    run() {
      throw new Error("the model did not converge");
    },
  }),
];

/** The contract's tables, row by row, on each door: they share one piece of code and must not differ. */
describe.each(doors)("%s", (door: Door) => {
  const open = (options: Parameters<typeof start>[1] = {}) => start(operations, { door, ...options });

  it("complete: 200 with a reference that the deployed orchestrator accepts (R-EXEC-05)", async () => {
    const { execute, call } = await open();
    const { status, body, headers } = await execute("Echo", { parameters: { text: "hello" } });
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json");
    expect(Object.keys(body as object)).toEqual(["status", "output"]);
    expect(judgeReply({ kind: "execute", body: JSON.stringify(body) }).outcome).toBe("completes");
    const { output } = body as { output: { uri: string; size_bytes: number; checksum: string } };
    expect(output.size_bytes).toBe(7);
    expect(checkReference(output).problems).toEqual([]);
    const fetched = await call(new URL(output.uri).pathname);
    expect(fetched).toMatchObject({ status: 200, body: "hello" });
    expect(fetched.headers.get("content-type")).toBe("application/json");
  });

  it("a sink completes with null (R-EXEC-06)", async () => {
    const { execute } = await open();
    expect(await execute("Sink")).toMatchObject({ status: 200, body: { status: "complete", output: null } });
  });

  it("a failure is 200 with a text, and nothing of the stack (R-EXEC-10, R-EXEC-11)", async () => {
    const { execute } = await open();
    const { status, body } = await execute("Break");
    expect(status).toBe(200);
    expect(body).toEqual({ status: "failed", error: "the model did not converge" });
  });

  it.each([
    ["no JSON", "{", ["body"], "json_invalid"],
    ["no body", "", ["body"], "missing"],
    ["a list", "[]", ["body"], "model_attributes_type"],
    ["null", "null", ["body"], "model_attributes_type"],
    ["a field missing", '{"method":"Echo","workflow_id":"w"}', ["body", "task_id"], "missing"],
    [
      "a field of the wrong type",
      '{"method":"Echo","workflow_id":"w","task_id":7}',
      ["body", "task_id"],
      "string_type",
    ],
    [
      "an empty field",
      '{"method":"","workflow_id":"w","task_id":"t"}',
      ["body", "method"],
      "string_too_short",
    ],
    [
      "a broken reference",
      '{"method":"Echo","workflow_id":"w","task_id":"t","inputs":[{"protocol":"file","uri":"/a","format":"png"}]}',
      ["body", "inputs", 0],
      "value_error",
    ],
  ])("%s: 422 (R-EXEC-12)", async (name, body, loc, type) => {
    // What express.json() itself refuses, it answers itself.
    if (door === "router behind express.json()" && ["no JSON", "no body", "null"].includes(name)) return;
    const { call } = await open();
    const answer = await call("/control/execute", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect(answer.status).toBe(422);
    const { detail } = answer.body as { detail: { loc: unknown; msg: string; type: string }[] };
    expect(detail[0]).toEqual({ loc, msg: expect.any(String), type });
  });

  it("another method: 400 that names it and what there is (R-EXEC-13)", async () => {
    const { execute } = await open();
    expect(await execute("Nope")).toMatchObject({
      status: 400,
      body: { detail: "Unknown method: Nope. This service has: Echo, Sink, Break" },
    });
    for (const name of ["__proto__", "toString", "constructor", "../Echo", "echo", "Echo "]) {
      expect((await execute(name)).status).toBe(400);
    }
  });

  it("a token missing or wrong: 401 with a challenge, before anything else (R-AUTH-01)", async () => {
    const { call, execute } = await open({ api_key: "s3cret" });
    for (const authorization of [
      undefined,
      "Bearer",
      "Bearer ",
      "Bearer s3cre",
      "Bearer s3cret2",
      "Bearer S3CRET",
      "Basic s3cret",
      "s3cret",
    ]) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const answers = await Promise.all([
        execute("Echo", {}, headers),
        call("/control/status/task-1", { headers }),
        call("/control/output/task-1", { headers }),
        call("/control/data/task-1", { headers }),
        call("/control/operations", { headers }),
        call("/control/cancel/x", { method: "POST", headers }),
      ]);
      for (const { status, body, headers: found } of answers) {
        expect({ status, body }).toEqual({ status: 401, body: { detail: "Unauthorized" } });
        expect(found.get("www-authenticate")).toBe("Bearer");
      }
    }
    expect((await call("/control/execute", { method: "POST", body: "{" })).status).toBe(401);
    expect((await execute("Echo", {}, { authorization: "Bearer s3cret" })).status).toBe(200);
    expect((await execute("Echo", {}, { authorization: "bearer s3cret" })).status).toBe(200);
    expect(await call("/health")).toMatchObject({ status: 200, body: { status: "ok" } });
  });

  it("a body over the limit: 413 (R-EXEC-14)", async () => {
    const { execute, call } = await open({ max_body_bytes: 1000 });
    if (door === "router behind express.json()") return;
    const answer = await execute("Echo", { parameters: { text: "x".repeat(1000) } });
    expect(answer).toMatchObject({
      status: 413,
      body: { detail: expect.stringContaining("at most 1000 bytes") },
    });
    expect((await call("/health")).status).toBe(200);
  });

  it("a queue that is full: 503 with Retry-After (R-EXEC-15)", async () => {
    const hold = gate();
    const slow = defineOperation({ name: "Slow", sink: true, run: () => hold.opened });
    const { execute } = await start([slow], { door, style: "concurrent", max_running: 1, max_queued: 1 });
    expect((await execute("Slow", { task_id: "a" })).status).toBe(200);
    expect((await execute("Slow", { task_id: "b" })).status).toBe(200);
    const refused = await execute("Slow", { task_id: "c" });
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    hold.open();
  });

  it("status, output and data of a running, a complete, a failed and an unknown task", async () => {
    const hold = gate<string>();
    const work = defineOperation({
      name: "Work",
      async run(ctx) {
        ctx.progress(40.9, "reading");
        return ctx.publish(await hold.opened, { format: "csv" });
      },
    });
    const { execute, call } = await start([work, ...operations], { door, style: "concurrent" });
    const begun = await execute("Work");
    expect(begun.body).toEqual({
      status: "running",
      task_id: expect.stringMatching(/^[A-Za-z0-9_.:-]{1,256}$/),
    });
    const { task_id } = begun.body as { task_id: string };
    await expect
      .poll(async () => (await call(`/control/status/${task_id}`)).body)
      .toEqual({
        status: "running",
        progress: 40,
        error: null,
        message: "reading",
      });
    expect(await call(`/control/output/${task_id}`)).toMatchObject({
      status: 400,
      body: { detail: "Task not complete" },
    });
    expect(await call(`/control/data/${task_id}`)).toMatchObject({
      status: 400,
      body: { detail: "Task not complete" },
    });
    hold.open("a,b\n1,2\n");
    const wait = { headers: { prefer: "wait=10" } };
    await expect
      .poll(async () => (await call(`/control/status/${task_id}`, wait)).body)
      .toMatchObject({ status: "complete", progress: 100, error: null });
    for (const id of [task_id, "task-1"]) {
      expect(await call(`/control/output/${id}`)).toMatchObject({
        status: 200,
        body: { output: { format: "csv" } },
      });
      const data = await call(`/control/data/${id}`);
      expect(data).toMatchObject({ status: 200, body: "a,b\n1,2\n" });
      expect(data.headers.get("content-type")).toBe("text/csv");
    }
    const broken = (await execute("Break", { task_id: "t2" })).body as { task_id: string };
    await expect
      .poll(async () => (await call(`/control/status/${broken.task_id}`)).body)
      .toEqual({
        status: "failed",
        progress: 0,
        error: "the model did not converge",
      });
    expect(await call("/control/output/t2")).toMatchObject({
      status: 400,
      body: { detail: "Task not complete" },
    });
    for (const kind of ["status", "output", "data"]) {
      for (const id of ["never", "..%2f..%2fetc%2fpasswd", "%00", "%zz", "x".repeat(8000), "__proto__"]) {
        expect(await call(`/control/${kind}/${id}`)).toMatchObject({
          status: 404,
          body: { detail: "Task not found" },
        });
      }
    }
  });

  it("a wrong HTTP method: 405 with Allow (R-GEN-05)", async () => {
    const { call } = await open();
    const get = await call("/control/execute");
    expect(get.status).toBe(405);
    expect(get.headers.get("allow")).toBe("POST");
    const post = await call("/control/status/x", { method: "POST" });
    expect(post.headers.get("allow")).toBe("GET, HEAD");
    expect((await call("/health", { method: "HEAD" })).status).toBe(200);
  });
});

describe("serve", () => {
  it("keeps connections longer than an orchestrator pauses between two polls (R-READ-11)", async () => {
    const { call } = await start(operations);
    expect((await call("/health")).headers.get("keep-alive")).toBe("timeout=75");
  });

  it("an unknown path: 404 in JSON, never a redirect", async () => {
    const { call } = await start(operations);
    for (const path of [
      "/control/execute/",
      "/nope",
      "/control/status/",
      "/control/status/a/b",
      "/%zz",
      "//control/execute",
    ]) {
      expect(await call(path, { redirect: "manual" })).toMatchObject({
        status: 404,
        body: { detail: "Not Found" },
      });
    }
  });
});
