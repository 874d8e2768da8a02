/** Part B of the contract. */
import { readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMemoryStore, defineOperation } from "./index.ts";
import { gate, start } from "./testing/start.ts";

type Answer = { status: string; task_id: string; error: string; output: { uri: string } };

/** An operation that a test drives: progress, and how it ends. */
function driven() {
  let report: (percent: number) => void = () => {};
  let seen: AbortSignal | undefined;
  let runs = 0;
  const end = gate<string>();
  const operation = defineOperation({
    name: "Work",
    style: "concurrent",
    async run(ctx) {
      runs++;
      seen = ctx.signal;
      report = (percent) => ctx.progress(percent, "half way");
      const text = await Promise.race([
        end.opened,
        new Promise<never>((_, reject) =>
          ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)),
        ),
      ]);
      return ctx.publish(text, { format: "json" });
    },
  });
  return {
    operation,
    half: () => report(50),
    report: (percent: number) => report(percent),
    end: () => end.open("{}"),
    signal: () => seen,
    runs: () => runs,
  };
}

describe("long poll (wait)", () => {
  it("on status is answered at the first change of progress, then at the end", async () => {
    const work = driven();
    const { execute, call } = await start([work.operation]);
    const { task_id } = (await execute("Work")).body as Answer;
    const poll = () => call(`/control/status/${task_id}`, { headers: { prefer: "wait=20" } });
    await expect.poll(() => work.runs()).toBe(1);
    let percent = 0;
    const ticking = setInterval(() => work.report(++percent), 50);
    const began = performance.now();
    const first = await poll();
    const second = await poll();
    clearInterval(ticking);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(first.headers.get("preference-applied")).toBe("wait=20");
    expect(first.body).toMatchObject({ status: "running", message: "half way" });
    expect((second.body as { progress: number }).progress).toBeGreaterThan(
      (first.body as { progress: number }).progress,
    );
    const last = poll();
    work.end();
    expect((await last).body).toMatchObject({ status: "complete", progress: 100 });
    expect((await poll()).body).toMatchObject({ status: "complete" });
  });

  it("without a change is answered when the time is over, unchanged", async () => {
    const work = driven();
    const { execute, call } = await start([work.operation]);
    const { task_id } = (await execute("Work")).body as Answer;
    const began = performance.now();
    const answer = await call(`/control/status/${task_id}`, { headers: { prefer: "respond-async, wait=1" } });
    expect(answer.body).toMatchObject({ status: "running", progress: 0 });
    expect(performance.now() - began).toBeGreaterThanOrEqual(990);
    expect(answer.headers.get("preference-applied")).toBe("wait=1");
    work.end();
  });

  it("of many callers at once is no reason for Node to warn of a leak", async () => {
    const work = driven();
    const memory = createMemoryStore();
    let waiting = 0;
    const subscribe: typeof memory.subscribe = (...given) => {
      waiting++;
      return memory.subscribe(...given);
    };
    const { execute, call } = await start([work.operation], { store: { ...memory, subscribe } });
    const { task_id } = (await execute("Work")).body as Answer;
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => warnings.push(name);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    const headers = { prefer: "wait=20" };
    const polls = Array.from({ length: 30 }, () => call(`/control/status/${task_id}`, { headers }));
    await expect.poll(() => waiting).toBe(30);
    work.end();
    for (const { body } of await Promise.all(polls)) expect(body).toMatchObject({ status: "complete" });
    expect(warnings).toEqual([]);
  });

  it("on execute lets a quick operation answer at once, and a slow one its handle", async () => {
    const work = driven();
    const quick = defineOperation({ name: "Quick", style: "concurrent", sink: true, run: () => pause(5) });
    const { execute } = await start([work.operation, quick]);
    const done = await execute("Quick", {}, { prefer: "wait=10" });
    expect(done.body).toEqual({ status: "complete", output: null });
    expect(done.headers.get("preference-applied")).toBe("wait=10");
    const slow = await execute("Work", {}, { prefer: "wait=0" });
    expect(slow.body).toMatchObject({ status: "running" });
    work.end();
  });

  it("that cannot be read is as good as none", async () => {
    const work = driven();
    const { execute, call } = await start([work.operation]);
    await execute("Work");
    for (const prefer of ["wait=soon", "wait=-1", "wait", "waiting=5", ""]) {
      const answer = await call("/control/status/task-1", { headers: { prefer } });
      expect(answer.headers.get("preference-applied")).toBeNull();
    }
    work.end();
  });
});

describe("progress stream (events)", () => {
  const events = (text: string) =>
    text.split("\n\n").flatMap((block) => {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      return data === undefined
        ? []
        : [
            {
              event: /^event: (.*)$/m.exec(block)?.[1],
              id: /^id: (.*)$/m.exec(block)?.[1],
              ...JSON.parse(data),
            },
          ];
    });

  it("tells every change with its number, and ends after the end", async () => {
    const work = driven();
    const { execute, call } = await start([work.operation]);
    await execute("Work");
    const accept = { accept: "text/event-stream" };
    const streamed = call("/control/status/task-1", { headers: accept });
    await expect.poll(() => work.runs()).toBe(1);
    work.half();
    work.half();
    work.end();
    const all = await streamed;
    expect(all.headers.get("content-type")).toBe("text/event-stream");
    const known = events(all.body as string);
    expect(known.at(-1)).toEqual({
      event: "status",
      id: "3",
      status: "complete",
      progress: 100,
      error: null,
      message: "half way",
    });
    const resumed = await call("/control/status/task-1", { headers: { ...accept, "last-event-id": "1" } });
    expect(events(resumed.body as string).map(({ id, progress }) => [id, progress])).toEqual([
      ["2", 50],
      ["3", 100],
    ]);
    expect(
      (await call("/control/status/task-1", { headers: { ...accept, "last-event-id": "3" } })).status,
    ).toBe(204);
    const odd = await call("/control/status/task-1", { headers: { ...accept, "last-event-id": "99" } });
    expect(events(odd.body as string).map(({ id }) => id)).toEqual(["3"]);
    expect((await call("/control/status/none", { headers: accept })).status).toBe(404);
  });
});

describe("safe retry (idempotency)", () => {
  it("a known key gives the first answer again, also after the end; another body is 422", async () => {
    const work = driven();
    const { execute, call } = await start([work.operation]);
    const key = { "idempotency-key": "k1" };
    const first = await execute("Work", {}, key);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    work.end();
    await expect
      .poll(async () => ((await call("/control/status/task-1")).body as Answer).status)
      .toBe("complete");
    const again = await execute("Work", {}, key);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(work.runs()).toBe(1);
    expect(await execute("Work", { parameters: { other: 1 } }, key)).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining("R-IDEM-02") },
    });
  });

  it("of a sequential operation gives the result again without running again", async () => {
    let runs = 0;
    const count = defineOperation({
      name: "Count",
      run: (ctx) => ctx.publish(String(++runs), { format: "json", as: "inline" }),
    });
    const { execute } = await start([count]);
    const key = { "idempotency-key": "k1" };
    const first = await execute("Count", {}, key);
    expect((await execute("Count", { inputs: [], parameters: {} }, key)).body).toEqual(first.body);
    expect(runs).toBe(1);
    expect((await execute("Count", { workflow_id: "other" }, key)).body).not.toEqual(first.body);
    await execute("Count");
    expect(runs).toBe(3);
  });

  it("the same request while it runs is attached to it, with any key or none", async () => {
    const work = driven();
    const { execute } = await start([work.operation]);
    const first = (await execute("Work")).body as Answer;
    const attached = await execute("Work", { extra: "ignored" }, { "idempotency-key": "late" });
    expect(attached.body).toEqual(first);
    expect(attached.headers.get("idempotency-replayed")).toBe("true");
    const other = (await execute("Work", { parameters: { n: 1 } })).body as Answer;
    expect(other.task_id).not.toBe(first.task_id);
    expect((await execute("Work", { workflow_id: "wf-2" })).body).not.toEqual(first);
    work.end();
    expect((await execute("Work", {}, { "idempotency-key": "late" })).body).toEqual(first);
  });

  it("two identical calls in one tick are one execution", async () => {
    let runs = 0;
    const all = gate();
    const once = defineOperation({
      name: "Once",
      async run(ctx) {
        runs++;
        await all.opened;
        return ctx.publish("{}", { format: "json" });
      },
    });
    const memory = createMemoryStore();
    let begun = 0;
    const begin: typeof memory.begin = (...args) => {
      if (++begun === 10) all.open();
      return memory.begin(...args);
    };
    const { execute } = await start([once], { store: { ...memory, begin } });
    const answers = await Promise.all(Array.from({ length: 10 }, () => execute("Once")));
    expect(new Set(answers.map(({ body }) => (body as Answer).output.uri)).size).toBe(1);
    expect(runs).toBe(1);
  });
});

describe("cancel", () => {
  it("of a running task: 202, its signal fires, it is failed with Cancelled", async () => {
    const work = driven();
    const { execute, call } = await start([work.operation]);
    const { task_id } = (await execute("Work")).body as Answer;
    await expect.poll(() => work.runs()).toBe(1);
    const cancelled = await call(`/control/cancel/${task_id}`, { method: "POST" });
    expect(cancelled).toMatchObject({ status: 202, body: { status: "failed", error: "Cancelled" } });
    expect(work.signal()?.aborted).toBe(true);
    work.end();
    expect((await call(`/control/status/${task_id}`)).body).toMatchObject({
      status: "failed",
      error: "Cancelled",
    });
    expect((await call(`/control/cancel/${task_id}`, { method: "POST" })).status).toBe(200);
  });

  it("of one that ended changes nothing; of an unknown one is 404", async () => {
    const { execute, call } = await start([
      defineOperation({ name: "Op", sink: true, run: () => undefined }),
    ]);
    await execute("Op");
    expect(await call("/control/cancel/task-1", { method: "POST" })).toMatchObject({
      status: 200,
      body: { status: "complete", progress: 100, error: null },
    });
    expect((await call("/control/cancel/none", { method: "POST" })).status).toBe(404);
  });

  it("of one that waits its turn keeps it from ever running", async () => {
    const hold = gate();
    let ran = false;
    const first = defineOperation({ name: "First", sink: true, run: () => hold.opened });
    const second = defineOperation({
      name: "Second",
      sink: true,
      run() {
        ran = true;
      },
    });
    const { execute, call } = await start([first, second], { style: "concurrent", max_running: 1 });
    await execute("First", { task_id: "a" });
    await execute("Second", { task_id: "b" });
    expect((await call("/control/cancel/b", { method: "POST" })).status).toBe(202);
    hold.open();
    await expect.poll(async () => ((await call("/control/status/a")).body as Answer).status).toBe("complete");
    expect((await call("/control/status/b")).body).toMatchObject({ error: "Cancelled" });
    expect(ran).toBe(false);
  });

  it("leaves no folder behind of an operation that goes on regardless", async () => {
    const hold = gate();
    const done = gate<unknown>();
    const deaf = defineOperation({
      name: "Deaf",
      style: "concurrent",
      async run(ctx) {
        await hold.opened;
        const refused = await ctx.folder().catch((error: unknown) => error);
        done.open(refused);
        return undefined;
      },
    });
    const { execute, call, folder } = await start([deaf]);
    await execute("Deaf");
    await call("/control/cancel/task-1", { method: "POST" });
    hold.open();
    expect(await done.opened).toMatchObject({ code: "aborted" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("races with completion, and one of them wins for all observers", async () => {
    for (let round = 0; round < 30; round++) {
      const work = driven();
      const { execute, call } = await start([work.operation]);
      await execute("Work");
      const race = call("/control/cancel/task-1", { method: "POST" });
      if (round % 2 === 0) work.end();
      else await pause(0).then(work.end);
      const { status } = await race;
      const { body } = await call("/control/status/task-1", { headers: { prefer: "wait=5" } });
      expect((body as Answer).status).toBe(status === 202 ? "failed" : "complete");
    }
  });
});

describe("signed data URLs", () => {
  it("let a peer without a token fetch exactly that payload, as long as it is kept", async () => {
    let now = Date.now();
    const echo = defineOperation({ name: "Echo", run: (ctx) => ctx.publish("{}", { format: "json" }) });
    const { execute, url } = await start([echo], {
      api_key: "s3cret",
      now: () => now,
      retention: { max_age_s: 100 },
    });
    const authorization = { authorization: "Bearer s3cret" };
    const uriOf = async (task_id: string) =>
      ((await execute("Echo", { task_id }, authorization)).body as Answer).output.uri.replace(
        /^http:\/\/localhost:\d+/,
        url,
      );
    const [one, two] = [await uriOf("one"), await uriOf("two")];
    expect(one).toMatch(/\?expires=\d+&signature=[0-9a-f]{64}$/);
    expect((await fetch(one)).status).toBe(200);
    expect((await fetch(one.replace(/\?.*/, ""), { headers: authorization })).status).toBe(200);
    expect((await fetch(one.replace(/\?.*/, ""))).status).toBe(401);
    expect((await fetch(one.replace(/\?.*/, "") + two.replace(/^[^?]*/, ""))).status).toBe(401);
    expect((await fetch(one.replace(/expires=\d/, "expires=9"))).status).toBe(401);
    expect((await fetch(one.replace("/data/", "/status/"))).status).toBe(401);
    now += 200_000;
    expect((await fetch(one)).status).toBe(401);
  });
});
