import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryStore, defineOperation } from "../index.ts";
import { createMoodyStore } from "../testing/moody-store.ts";
import { connectRaw, readAnswer } from "../testing/raw.ts";
import { doors, gate, start } from "../testing/start.ts";

const echo = defineOperation({ name: "Echo", run: (ctx) => ctx.publish("{}", { format: "json" }) });
const form = /^[\w.:-]{1,128}$/;

describe.each(doors)("behind %s", (door) => {
  it("every answer has an id of its own, and the log line about it the same (R-REQ-01)", async () => {
    const store = createMoodyStore(createMemoryStore());
    const options = { door, store, log_level: "debug", max_body_bytes: 1000 };
    const { call, execute, lines } = await start([echo], options);
    const upload = () => {
      const form = new FormData();
      form.append("file", new File(["{}"], "a.json"));
      return call("/control/data", { method: "POST", body: form });
    };
    const data = (headers: Record<string, string>) => call("/control/data/task-1", { headers });
    const post = { method: "POST" };
    const answers = [
      await execute("Echo"),
      await execute("Nope"),
      await execute("Echo", { task_id: "x".repeat(1000) }),
      await call("/control/execute", { ...post, body: "{" }),
      await call("/control/execute"),
      await call("/control/status/task-1"),
      await call("/control/status/task-1", { headers: { prefer: "wait=1" } }),
      await call("/control/status/task-1", { headers: { accept: "text/event-stream" } }),
      await call("/control/status/task-1", {
        headers: { accept: "text/event-stream", "last-event-id": "2" },
      }),
      await call("/control/status/none"),
      await call("/control/output/task-1"),
      await data({}),
      await call("/control/data/task-1", { method: "HEAD" }),
      await data({ range: "bytes=0-1" }),
      await data({ range: "bytes=99-" }),
      await data({ "if-none-match": "*" }),
      await upload(),
      await call("/control/data", post),
      await call("/control/cancel/task-1", post),
      await call("/control/operations"),
      await call("/health"),
      await call("/ready"),
    ];
    store.refused.add("find");
    answers.push(await call("/control/status/task-1"));
    if (door === "serve") {
      for (const path of ["/metrics", "/docs", "/openapi.json", "/nothing", "/%"])
        answers.push(await call(path));
      answers.push(await call("/docs", post));
    }
    const ids = answers.map(({ headers }) => headers.get("x-request-id") ?? "none");
    expect(answers.map(({ status }) => status)).toEqual(
      [
        200, 400, 413, 422, 405, 200, 200, 200, 204, 404, 200, 200, 200, 206, 416, 304, 201, 415, 200, 200,
        200, 200, 503,
      ].concat(door === "serve" ? [200, 200, 200, 404, 404, 405] : []),
    );
    expect(new Set(ids).size).toBe(answers.length);
    for (const id of ids) expect(id).toMatch(form);
    const ofCalls = lines().filter(({ msg }) => msg === "call" || msg === "call refused");
    const logged = new Map(ofCalls.map((line) => [line.request_id, line.http_status]));
    for (const [index, { status }] of answers.entries()) {
      // What Express answers well has no line.
      if (index >= 23 && status < 400) continue;
      expect([ids[index], logged.get(ids[index])]).toEqual([ids[index], status]);
    }
  });

  it("takes the caller's id where it is a proper one, in the answer and in the log (R-REQ-01)", async () => {
    const { call, lines } = await start([echo], { door });
    const ask = async (id: string) =>
      (await call("/control/status/none", { headers: { "x-request-id": id } })).headers.get("x-request-id");
    const proper = fc.stringMatching(/^[\w.:-]{1,128}$/);
    await fc.assert(
      fc.asyncProperty(proper, async (id) => {
        expect(await ask(id)).toBe(id);
        expect(lines().at(-1)).toMatchObject({ request_id: id, status: "refused" });
      }),
      { numRuns: 20 },
    );
    for (const id of ["", "x".repeat(129), "a b", "a,b", "\u00e9", "<script>", 'a"b', "a;b"]) {
      const answered = await ask(id);
      expect(answered).toMatch(form);
      expect(answered).not.toBe(id);
      expect(lines().at(-1)?.request_id).toBe(answered);
    }
  });
});

describe("what never becomes a call", () => {
  it.each([
    ["rubbish", "NONSENSE\r\n\r\n", 400, undefined],
    ["no host", "GET /health HTTP/1.1\r\nx-request-id: mine\r\n\r\n", 400, "mine"],
    [
      "a body without host",
      "POST /control/execute HTTP/1.1\r\nx-request-id: mine\r\ncontent-length: 1\r\n\r\n{",
      400,
      "mine",
    ],
    [
      "another expectation",
      "GET /health HTTP/1.1\r\nhost: a\r\nexpect: cake\r\nx-request-id: mine\r\n\r\n",
      417,
      "mine",
    ],
    ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\n\r\n", 405, "mine"],
    [
      "two lengths",
      "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
      400,
      undefined,
    ],
    [
      "two framings",
      "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
      400,
      undefined,
    ],
    [
      "a broken chunk",
      "POST /control/execute HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
      400,
      "mine",
    ],
  ])("is answered in JSON, with an id that the log has too: %s", async (_, text, status, id) => {
    const { url, lines } = await start([echo], { log_level: "debug" });
    const raw = await connectRaw(url);
    raw.send(text);
    const answer = readAnswer(await raw.closed());
    expect(answer).toMatchObject({
      status,
      headers: { "content-type": "application/json", connection: "close" },
    });
    expect(Object.keys(JSON.parse(answer.body))).toEqual(["detail"]);
    const request_id = answer.headers["x-request-id"];
    expect(request_id).toMatch(form);
    if (id !== undefined) expect(request_id).toBe(id);
    await expect.poll(() => lines().filter((line) => line.request_id === request_id)).not.toEqual([]);
    // Nothing is said under an id that nobody was told.
    const others = lines().filter((line) => "request_id" in line && line.request_id !== request_id);
    expect(others).toEqual([]);
  });

  it("takes no answer from a good call before it", async () => {
    const { opened, open } = gate();
    const held = defineOperation({ name: "Held", sink: true, run: () => opened });
    const { url, call } = await start([held]);
    const raw = await connectRaw(url);
    const body = JSON.stringify({ method: "Held", workflow_id: "w", task_id: "t" });
    const head = `POST /control/execute HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}`;
    raw.send(`${head}\r\n\r\n${body}NONSENSE\r\n\r\n`);
    await expect.poll(async () => (await call("/ready")).body).toMatchObject({ running: 1 });
    open();
    const answer = readAnswer(await raw.closed());
    expect(answer).toMatchObject({ status: 200, body: '{"status":"complete","output":null}' });
  });
});
