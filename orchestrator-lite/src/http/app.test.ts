import * as http from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { createOrchestrator } from "../create-orchestrator.ts";
import type { OrchestratorOptions } from "../options.ts";
import { blueprintOf, chainSubmission, dockerinfoOf } from "../testing/documents.ts";
import { echo, fakeService } from "../testing/fake-service.ts";

async function start(options: OrchestratorOptions = {}) {
  const orchestrator = await createOrchestrator(options);
  onTestFinished(orchestrator.close);
  return orchestrator;
}

/** A call with its whole answer; a body that is no text is sent as JSON. */
async function call(url: string, path: string, init: RequestInit & { json?: unknown } = {}) {
  const { json, ...rest } = init;
  const body = json === undefined ? {} : { method: "POST", body: JSON.stringify(json) };
  const headers = { ...(json !== undefined && { "content-type": "application/json" }), ...init.headers };
  const response = await fetch(`${url}${path}`, { ...body, ...rest, headers });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text === "" ? undefined : JSON.parse(text),
  };
}

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe("the HTTP API", () => {
  it("runs a workflow and tells of it to the byte", async () => {
    const { port } = await fakeService(echo);
    const { url, wait } = await start();
    const submitted = await call(url, "/workflows", {
      json: {
        ...chainSubmission(port, "a:A", "b:B"),
        inputs: [{ protocol: "file", uri: "/in.csv", format: "csv", metadata: null }],
        services_api_key: null,
      },
    });
    expect(submitted.status).toBe(200);
    expect(submitted.headers.get("content-type")).toBe("application/json");
    const { workflow_id } = submitted.json;
    expect(submitted.text).toBe(`{"workflow_id":"${workflow_id}","status":"running"}`);
    expect(workflow_id).toMatch(/^wf-[0-9a-f]{12}$/);
    await wait(workflow_id);

    const workflow = (await call(url, `/workflows/${workflow_id}`)).json;
    expect(workflow).toEqual({
      workflow_id,
      status: "completed",
      created_at: time,
      updated_at: time,
      error: null,
    });
    expect(Object.keys(workflow)).toEqual(["workflow_id", "status", "created_at", "updated_at", "error"]);

    const { json } = await call(url, `/workflows/${workflow_id}/tasks`);
    const initial = { protocol: "file", uri: "/in.csv", format: "csv", metadata: {} };
    const [first, second] = json.tasks;
    const between = {
      protocol: "file",
      uri: `/data/${workflow_id}/${first.task_id}`,
      format: "json",
      metadata: { method: "A", workflow_id, from: ["/in.csv"] },
    };
    expect(json).toEqual({
      workflow_id,
      tasks: [
        {
          task_id: first.task_id,
          node_key: "a:A",
          status: "completed",
          created_at: time,
          updated_at: time,
          error: null,
          input_refs: [initial],
          output_refs: [between],
        },
        {
          task_id: second.task_id,
          node_key: "b:B",
          status: "completed",
          created_at: time,
          updated_at: time,
          error: null,
          input_refs: [between],
          output_refs: [expect.anything()],
        },
      ],
    });
    expect(first.task_id).toMatch(/^task_[0-9a-f]{16}$/);
    expect((await call(url, `/workflows/${workflow_id}/tasks/${second.task_id}`)).json).toEqual(second);

    const deleted = await call(url, `/workflows/${workflow_id}`, { method: "DELETE" });
    expect([deleted.status, deleted.text]).toEqual([200, '{"status":"deleted"}']);
    expect((await call(url, `/workflows/${workflow_id}`)).status).toBe(404);
  });

  it("fails the workflow with the task's error, and never starts what comes after", async () => {
    const { port } = await fakeService(() => ({ json: { status: "failed", error: "no such column" } }));
    const { url, wait } = await start();
    const { workflow_id } = (await call(url, "/workflows", { json: chainSubmission(port, "a:A", "b:B") }))
      .json;
    await wait(workflow_id);
    const { tasks } = (await call(url, `/workflows/${workflow_id}/tasks`)).json;
    expect(tasks).toMatchObject([
      { status: "failed", error: "no such column", output_refs: [] },
      { status: "pending", error: null, input_refs: [] },
    ]);
    expect(Object.keys(tasks[0])).toEqual([
      "task_id",
      "node_key",
      "status",
      "created_at",
      "updated_at",
      "error",
      "input_refs",
      "output_refs",
    ]);
    const { json } = await call(url, `/workflows/${workflow_id}`);
    expect(json).toMatchObject({
      status: "failed",
      error: `Task ${tasks[0].task_id} failed: no such column`,
    });
  });

  it.each([
    ["GET", "/workflows/wf-000000000000", 404, '{"detail":"Workflow not found"}'],
    ["GET", "/workflows/wf-000000000000/tasks", 404, '{"detail":"Workflow not found"}'],
    ["GET", "/workflows/wf-000000000000/tasks/x", 404, '{"detail":"Workflow not found"}'],
    ["DELETE", "/workflows/wf-000000000000", 404, '{"detail":"Workflow not found"}'],
    ["GET", "/workflows/__proto__", 404, '{"detail":"Workflow not found"}'],
    ["GET", "/workflows/%E0%A4%A", 404, '{"detail":"Not Found"}'],
    ["GET", "/nowhere", 404, '{"detail":"Not Found"}'],
    ["GET", "/workflows", 405, '{"detail":"Method Not Allowed"}'],
    ["POST", "/health", 405, '{"detail":"Method Not Allowed"}'],
    ["GET", "/health", 200, '{"status":"ok"}'],
    ["GET", "/health?probe=1", 200, '{"status":"ok"}'],
  ])("answers %s %s with %i", async (method, path, status, text) => {
    const { url } = await start();
    const answer = await call(url, path, { method });
    expect([answer.status, answer.text]).toEqual([status, text]);
    if (status === 405) expect(answer.headers.get("allow")).toBe(path === "/health" ? "GET, HEAD" : "POST");
  });

  it("answers 404 for a task that the workflow does not have", async () => {
    const { port } = await fakeService(echo);
    const { url } = await start();
    const { workflow_id } = (await call(url, "/workflows", { json: chainSubmission(port, "a:A") })).json;
    const answer = await call(url, `/workflows/${workflow_id}/tasks/task_0000000000000000`);
    expect([answer.status, answer.text]).toEqual([404, '{"detail":"Task not found"}']);
  });

  const good = { blueprint: blueprintOf(["a:A"]), dockerinfo: dockerinfoOf(["a:A"], 9) };
  it.each<[string, unknown, unknown]>([
    [
      "a missing field",
      { blueprint: {} },
      [{ loc: ["body", "dockerinfo"], msg: "Field required", type: "missing" }],
    ],
    [
      "an unknown field",
      { ...good, extra: 1 },
      [{ loc: ["body", "extra"], msg: "Extra inputs are not permitted", type: "extra_forbidden" }],
    ],
    [
      "inputs that are no list",
      { ...good, inputs: {} },
      [{ loc: ["body", "inputs"], msg: "Input should be a valid list", type: "list_type" }],
    ],
    [
      "a blueprint that is no object",
      { ...good, blueprint: [] },
      [{ loc: ["body", "blueprint"], msg: "Input should be a valid dictionary", type: "dict_type" }],
    ],
    [
      "a body that is no object",
      [],
      [{ loc: ["body"], msg: "Input should be a valid dictionary", type: "dict_type" }],
    ],
    [
      "an impossible limit",
      { ...good, nodes: { "a:A": { timeout_s: 0 } } },
      [
        {
          loc: ["body", "nodes", "a:A", "timeout_s"],
          msg: "Expected more than 0, found 0",
          type: "value_error",
        },
      ],
    ],
    [
      "a key that is no header, without repeating it",
      { ...good, services_api_key: "canary\n" },
      [
        {
          loc: ["body", "services_api_key"],
          msg: "Expected a text of at most 4096 visible ASCII characters, or null",
          type: "value_error",
        },
      ],
    ],
  ])("answers 422 to %s", async (_name, json, detail) => {
    const { url } = await start();
    const answer = await call(url, "/workflows", { json });
    expect(answer.status).toBe(422);
    expect(answer.json).toEqual({ detail });
  });

  it.each([
    [
      "no JSON",
      "{canary",
      "application/json",
      "JSON decode error: expected the body to be one JSON value in UTF-8",
      "json_invalid",
    ],
    ["nothing", "", "application/json", "Field required", "missing"],
    [
      "another media type",
      "{}",
      "text/plain",
      "Expected the Content-Type application/json, found text/plain",
      "value_error",
    ],
  ])("answers 422 to a body that is %s", async (_name, body, type, msg, kind) => {
    const { url } = await start();
    const answer = await call(url, "/workflows", { method: "POST", body, headers: { "content-type": type } });
    expect(answer.status).toBe(422);
    expect(answer.json.detail).toEqual([
      {
        loc: [
          kind === "value_error" ? "header" : "body",
          ...(kind === "value_error" ? ["Content-Type"] : []),
        ],
        msg,
        type: kind,
      },
    ]);
  });

  it.each([
    [{ blueprint: {} }, /^Invalid blueprint: nodes: required/],
    [{ dockerinfo: {} }, /^Invalid dockerinfo: docker_info_list: required/],
    [{ inputs: [{}] }, /^Invalid inputs: inputs\[0\]\.protocol/],
  ])("answers 400 to documents that cannot run", async (wrong, detail) => {
    const { url } = await start();
    const answer = await call(url, "/workflows", { json: { ...good, ...wrong } });
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({ detail: expect.stringMatching(detail) });
  });

  it("asks for the key before it reads a body, on everything but /health", async () => {
    const { url } = await start({ api_key: "secret" });
    for (const [path, init] of [
      ["/workflows", { json: { not: "read" } }],
      ["/workflows/x", {}],
      ["/nowhere", {}],
      ["/workflows/x", { headers: { authorization: "Bearer secrets" } }],
      ["/workflows/x", { headers: { authorization: "Basic secret" } }],
    ] as const) {
      const answer = await call(url, path, init);
      expect([answer.status, answer.text]).toEqual([401, '{"detail":"Unauthorized"}']);
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    }
    expect((await call(url, "/health")).status).toBe(200);
    expect((await call(url, "/workflows/x", { headers: { authorization: "Bearer secret" } })).status).toBe(
      404,
    );
  });

  it("answers 401 although the body has not come yet", async () => {
    const { url } = await start({ api_key: "secret" });
    const status = await new Promise((resolve, reject) => {
      const request = http.request(`${url}/workflows`, {
        method: "POST",
        headers: { "content-length": 1000 },
      });
      request.on("response", (response) => {
        resolve(response.statusCode);
        request.destroy();
      });
      request.on("error", reject);
      request.flushHeaders();
    });
    expect(status).toBe(401);
  });

  it.each(["with its length", "in chunks"])(
    "answers 413 to a body that is too large, sent %s",
    async (how) => {
      const { url } = await start({ max_body_bytes: 1000 });
      const status = await new Promise((resolve, reject) => {
        const length = how === "in chunks" ? {} : { "content-length": 5000 };
        const headers = { "content-type": "application/json", ...length };
        const request = http.request(`${url}/workflows`, { method: "POST", headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        request.on("error", reject);
        if (how === "in chunks") request.write(Buffer.alloc(900, " "));
        request.end(Buffer.alloc(how === "in chunks" ? 4100 : 5000, " "));
      });
      expect(status).toBe(413);
    },
  );

  it("answers a repeated submission with the first one's id, and 422 for another under the same key", async () => {
    const service = await fakeService(echo);
    const { url, wait } = await start();
    const json = chainSubmission(service.port, "a:A");
    const submit = (body: unknown) =>
      call(url, "/workflows", { json: body, headers: { "idempotency-key": "k1" } });
    const [first, second] = await Promise.all([submit(json), submit({ inputs: [], ...json })]);
    expect(second.text).toBe(first.text);
    await wait(first.json.workflow_id);
    expect((await submit(json)).text).toBe(first.text);
    const other = await submit({ ...json, labels: { a: "b" } });
    expect([other.status, other.json.detail[0].type]).toEqual([422, "idempotency_mismatch"]);
    expect(service.executes()).toHaveLength(1);
    await call(url, `/workflows/${first.json.workflow_id}`, { method: "DELETE" });
    expect((await submit(json)).json.workflow_id).not.toBe(first.json.workflow_id);
  });
});
