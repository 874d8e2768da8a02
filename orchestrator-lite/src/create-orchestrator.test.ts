import { createServer } from "node:net";
import { ControlError } from "@aieffect/control-interface";
import { defineOperation, sequentialService, serve } from "@aieffect/service-kit";
import { tempFolder, until } from "@aieffect/test-support";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { createOrchestrator, type Orchestrator } from "./create-orchestrator.ts";
import type { OrchestratorOptions } from "./options.ts";
import { blueprintOf, chainSubmission, dockerinfoOf } from "./testing/documents.ts";
import { type Answering, echo, fakeService, outputOf, type Reply } from "./testing/fake-service.ts";
import { manualClock } from "./testing/manual-clock.ts";
import type { Change } from "./views/views.ts";

async function start(options: OrchestratorOptions = {}): Promise<Orchestrator> {
  const orchestrator = await createOrchestrator({ listen: false, ...options });
  onTestFinished(orchestrator.close);
  return orchestrator;
}

/** Submits and waits for the end; the one task of most tests is `tasks[0]`. */
async function runToEnd(orchestrator: Orchestrator, submission: Parameters<Orchestrator["submit"]>[0]) {
  const { workflow_id } = await orchestrator.submit(submission);
  const workflow = await orchestrator.wait(workflow_id);
  return { workflow_id, workflow, tasks: await orchestrator.tasks(workflow_id) };
}

/** A concurrent service: `running` under the handle h1, h2, ..., then what the test answers to status and output. */
function concurrent(status: (count: number, handle: string) => Reply, output?: () => Reply): Answering {
  let handles = 0;
  return ({ path, body }, count) => {
    if (path === "/control/execute") return { json: { status: "running", task_id: `h${++handles}` } };
    if (path.startsWith("/control/status/")) return status(count, path.slice("/control/status/".length));
    return (
      output?.() ?? {
        json: { output: outputOf({ ...body, method: "M", workflow_id: "w", task_id: "t", inputs: [] }) },
      }
    );
  };
}

const complete: Reply = { json: { status: "complete", progress: 100, error: null } };
const running = (progress: number): Reply => ({ json: { status: "running", progress, error: null } });

describe("the inputs of a task", () => {
  it("are its predecessors' outputs in blueprint order, whoever is done first", async () => {
    let answered = 0;
    const { port } = await fakeService(async (call, count) => {
      // The first predecessor answers last.
      if (call.body.method === "Slow") await until("the others", () => answered >= 2);
      if (call.body.method !== "Slow") answered++;
      return call.body.method === "Empty"
        ? { json: { status: "complete", output: null } }
        : echo(call, count);
    });
    const nodes = ["s:Slow", "f:Fast", "e:Empty", "j:Join"];
    const edges = [
      ["s:Slow", "j:Join"],
      ["e:Empty", "j:Join"],
      ["f:Fast", "j:Join"],
    ] as const;
    const { tasks } = await runToEnd(await start(), {
      blueprint: blueprintOf(nodes, edges),
      dockerinfo: dockerinfoOf(nodes, port),
    });
    expect(tasks[3]?.input_refs.map(({ metadata }) => metadata?.method)).toEqual(["Slow", "Fast"]);
  });

  it("travel unchanged, with all their fields (R-REF-16)", async () => {
    const output = {
      protocol: "http",
      uri: "http://x/y",
      format: "csv",
      schema_uri: "s",
      size_bytes: 5,
      checksum: "sha256:ab",
      metadata: { deep: [{ a: 1.5 }] },
    } as const;
    const service = await fakeService(() => ({ json: { status: "complete", output } }));
    await runToEnd(await start(), chainSubmission(service.port, "a:A", "b:B"));
    expect(service.executes()[1]?.body.inputs).toEqual([output]);
    expect(service.executes()[0]?.body.inputs).toEqual([]);
  });

  it("travel with every digit of their metadata, also where JavaScript has no such number (R-REF-16)", async () => {
    const metadata =
      '{"id":9007199254740993,"deep":[{"at":-123456789012345678901234567890,"scale":1.0,"zero":-0.0,"e":1e22,"x":0.1}],"\\u00fc\\"":"9007199254740993"}';
    const output = `{"protocol":"file","uri":"/a","format":"csv","metadata":${metadata}}`;
    const service = await fakeService(({ body: { method } }) => ({
      text:
        method === "A" ? `{"status":"complete","output":${output}}` : '{"status":"complete","output":null}',
    }));
    const { tasks } = await runToEnd(await start(), chainSubmission(service.port, "a:A", "b:B"));
    const [sent] = service.executes().slice(-1);
    expect(sent?.text).toContain(
      '"metadata":{"id":9007199254740993,"deep":[{"at":-123456789012345678901234567890,"scale":1.0,"zero":-0.0,"e":1e+22,"x":0.1}],"ü\\"":"9007199254740993"}',
    );
    expect(sent?.body).toMatchObject({
      method: "B",
      inputs: [{ protocol: "file", uri: "/a", size_bytes: null }],
    });
    // For programs it is what JSON.parse gives.
    expect(tasks[0]?.output_refs[0]?.metadata).toEqual(JSON.parse(metadata));
  });

  it("hold for any graph: every node once, after all its predecessors", async () => {
    const service = await fakeService(echo);
    const orchestrator = await start();
    const graphs = fc
      .integer({ min: 1, max: 8 })
      .chain((size) =>
        fc
          .array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 16 })
          .map((all) => ({ size, edges: all.filter(([a, b]) => a < b) })),
      );
    await fc.assert(
      fc.asyncProperty(graphs, async ({ size, edges }) => {
        const nodes = Array.from({ length: size }, (_, index) => `c${index}:M${index}`);
        const connections = edges.map(([a, b]) => [nodes[a] as string, nodes[b] as string] as const);
        const submission = {
          blueprint: blueprintOf(nodes, connections),
          dockerinfo: dockerinfoOf(nodes, service.port),
        };
        const { workflow_id, workflow } = await runToEnd(orchestrator, submission);
        expect(workflow.status).toBe("completed");
        const mine = service.executes().filter(({ body }) => body.workflow_id === workflow_id);
        expect(mine.map(({ body }) => body.method).sort()).toEqual(
          nodes.map((_, index) => `M${index}`).sort(),
        );
        for (const { body } of mine) {
          const index = Number(body.method.slice(1));
          const expected = nodes.flatMap((_, from) =>
            edges.some(([a, b]) => a === from && b === index) ? [`M${from}`] : [],
          );
          expect(body.inputs.map(({ metadata }) => metadata?.method)).toEqual(expected);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("are never those of another workflow", async () => {
    const { port } = await fakeService(echo);
    const orchestrator = await start();
    const one = async () => {
      const { workflow_id, tasks } = await runToEnd(orchestrator, chainSubmission(port, "a:A", "b:B"));
      const refs = tasks.flatMap(({ input_refs, output_refs }) => [...input_refs, ...output_refs]);
      expect(refs.map(({ metadata }) => metadata?.workflow_id)).toEqual([
        workflow_id,
        workflow_id,
        workflow_id,
      ]);
    };
    for (let round = 0; round < 50; round++) await Promise.all([one(), one()]);
  });
});

describe("a call to a service", () => {
  it("carries parameters, trace context and one idempotency key per attempt", async () => {
    let threshold = 5;
    const parameters = { "b:B": { threshold } };
    const service = await fakeService(async (call, count) => {
      // What the caller does with its object after the submission changes nothing.
      if (call.body.method === "A") await until("the change", () => parameters["b:B"].threshold === 6);
      return echo(call, count);
    });
    const orchestrator = await start();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const submission = { ...chainSubmission(service.port, "a:A", "b:B"), parameters };
    const { workflow_id } = await orchestrator.submit(submission, { traceparent });
    parameters["b:B"].threshold = ++threshold;
    await orchestrator.wait(workflow_id);
    const [first, second] = service.executes();
    expect(first?.body.parameters).toBeUndefined();
    expect(second?.body).toMatchObject({ method: "B", workflow_id, parameters: { threshold: 5 } });
    const idempotency_key = `${workflow_id}:${second?.body.task_id}:1`;
    expect(second?.headers).toMatchObject({ traceparent, "idempotency-key": idempotency_key });
    expect(second?.headers.authorization).toBeUndefined();
  });

  it("carries a name and one trace for the whole workflow, whichever call it is (R-LOG-02, R-TRACE-01)", async () => {
    let polls = 0;
    const answering = concurrent(() => (polls++ === 0 ? complete : "hang"));
    const service = await fakeService(answering);
    const orchestrator = await start();
    const chain = chainSubmission(service.port, "a:A", "b:B");
    const { workflow_id } = await orchestrator.submit({ ...chain, correlation_id: "run 7" });
    await until("the second task's status", () => polls === 2);
    await orchestrator.remove(workflow_id);
    await until("the cancel", () => service.calls.some(({ path }) => path.startsWith("/control/cancel/")));
    const kinds = service.calls.map(({ path }) => path.split("/")[2]);
    expect(kinds).toEqual(["execute", "status", "output", "execute", "status", "cancel"]);
    expect(service.calls.map(({ headers }) => headers["x-correlation-id"])).toEqual(kinds.map(() => "run 7"));
    const [traceparent] = new Set(service.calls.map(({ headers }) => headers.traceparent));
    expect(service.calls.map(({ headers }) => headers.traceparent)).toEqual(kinds.map(() => traceparent));
    // Sampled, or services would not record it.
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it("is named after the workflow where the submitter has no name for it, and possible with any name", async () => {
    const service = await fakeService(echo);
    const orchestrator = await start();
    const chain = chainSubmission(service.port, "a:A");
    const ids = [undefined, "Prüfung\r\n7", "\u{1f600}".repeat(60)];
    const workflows: string[] = [];
    for (const correlation_id of ids) {
      const { workflow_id, workflow } = await runToEnd(orchestrator, {
        ...chain,
        correlation_id: correlation_id ?? null,
      });
      expect(workflow.status).toBe("completed");
      workflows.push(workflow_id);
    }
    expect(service.calls.map(({ headers }) => headers["x-correlation-id"])).toEqual([
      workflows[0],
      "Pr%C3%BCfung%0D%0A7",
      undefined,
    ]);
    const traces = service.calls.map(({ headers }) => headers.traceparent);
    expect(new Set(traces).size).toBe(3);
  });

  it("begins a trace where the submitter's is none", async () => {
    const service = await fakeService(echo);
    const orchestrator = await start();
    const { workflow_id } = await orchestrator.submit(chainSubmission(service.port, "a:A"), {
      traceparent: "00-00000000000000000000000000000000-b7ad6b7169203331-01\r\n",
    });
    expect((await orchestrator.wait(workflow_id)).status).toBe("completed");
    expect(service.calls[0]?.headers.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it("can be found in the log of a service of the kit as in the orchestrator's (R-LOG-02)", async () => {
    const texts: string[] = [];
    const operation = defineOperation({
      name: "A",
      style: "concurrent",
      run({ log, publish }) {
        log.info("working");
        return publish("{}", { format: "json" });
      },
    });
    const service = sequentialService({
      operations: [operation],
      name: "kit",
      data_dir: await tempFolder(),
      log_level: "debug",
      log_out: { write: (text: string) => void texts.push(text) },
    });
    const running = await serve(service, { host: "127.0.0.1", port: 0, handle_signals: false, grace_ms: 0 });
    onTestFinished(running.close);
    const own: Record<string, unknown>[] = [];
    const write = (line: Record<string, unknown>) => void own.push(line);
    const logger = { debug: write, info: write, warn: write, error: write } as NonNullable<
      OrchestratorOptions["logger"]
    >;
    const orchestrator = await start({ logger });
    const submission = { ...chainSubmission(running.port, "a:A"), correlation_id: "run 7" };
    const { workflow_id, workflow } = await runToEnd(orchestrator, submission);
    expect(workflow.status).toBe("completed");
    const lines = texts.map((text) => JSON.parse(text)).filter((line) => line.workflow_id === workflow_id);
    const messages = new Set(lines.map((line) => line.msg));
    expect(messages).toEqual(new Set(["task accepted", "working", "task ended", "call"]));
    const all = [...lines, ...own];
    const { trace_id } = own[0] as { trace_id: string };
    expect(trace_id).toMatch(/^[0-9a-f]{32}$/);
    expect(all.map((line) => [line.correlation_id, line.trace_id])).toEqual(
      all.map(() => ["run 7", trace_id]),
    );
  });

  it("reuses connections, also for the next workflow", async () => {
    const service = await fakeService(echo);
    const orchestrator = await start();
    for (let round = 0; round < 5; round++)
      await runToEnd(orchestrator, chainSubmission(service.port, "a:A", "b:B"));
    expect(service.connections()).toBe(1);
  });

  it("is never made to a host that resolves to what must not be called", async () => {
    const service = await fakeService(echo);
    const { blueprint } = chainSubmission(service.port, "a:A");
    const dockerinfo = {
      docker_info_list: [{ container_name: "a", ip_address: "localhost", port: service.port }],
    };
    const { workflow } = await runToEnd(await start({ allow_hosts: ["10.0.0.0/8"] }), {
      blueprint,
      dockerinfo,
    });
    expect(workflow.error).toMatch(/Refused to call localhost \((127\.0\.0\.1|::1)\)/);
    expect(service.calls).toEqual([]);
  });
});

describe("a failed attempt", () => {
  const fast = { retry_backoff_s: 0.001 };

  it.each<[string, Reply]>([
    ["503", { status: 503, json: { detail: "Queue full" } }],
    ["429", { status: 429 }],
    ["a reset", "reset"],
  ])("is repeated after %s", async (_name, reply) => {
    const service = await fakeService((call, count) => (count < 3 ? reply : echo(call, count)));
    const { workflow, workflow_id, tasks } = await runToEnd(
      await start(fast),
      chainSubmission(service.port, "a:A"),
    );
    expect(workflow.status).toBe("completed");
    const keys = service.executes().map(({ headers }) => headers["idempotency-key"]);
    const key = (attempt: number) => `${workflow_id}:${tasks[0]?.task_id}:${attempt}`;
    // The same request again only where no answer came (R-IDEM-01).
    expect(keys).toEqual(reply === "reset" ? [key(1), key(1), key(1)] : [key(1), key(2), key(3)]);
    expect(new Set(service.executes().map(({ body }) => body.task_id)).size).toBe(1);
  });

  it("is repeated after a time-out, with the same key", async () => {
    const service = await fakeService((call, count) => (count === 1 ? "hang" : echo(call, count)));
    const orchestrator = await start({ ...fast, call_timeout_s: 0.3 });
    expect((await runToEnd(orchestrator, chainSubmission(service.port, "a:A"))).workflow.status).toBe(
      "completed",
    );
    expect(new Set(service.executes().map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
  });

  it("gives up after the tries that are allowed, and says so", async () => {
    const service = await fakeService(() => ({ status: 503, json: { detail: "Queue full" } }));
    const { tasks } = await runToEnd(await start(fast), chainSubmission(service.port, "a:A"));
    expect(service.executes()).toHaveLength(3);
    const url = `http://127.0.0.1:${service.port}/control/execute`;
    expect(tasks[0]).toMatchObject({
      failure: "unavailable",
      error: `POST ${url} answered 503: Queue full (attempt 3 of 3)`,
    });
  });

  it.each<[string, Reply]>([
    ["400", { status: 400, json: { detail: "Unknown method: A" } }],
    ["401", { status: 401 }],
    ["422", { status: 422 }],
    ["the service's own failed", { json: { status: "failed", error: "broken" } }],
    ["an answer that cannot be read", { text: "<html>" }],
    ["running without a task_id", { json: { status: "running" } }],
  ])("is the last one after %s", async (_name, reply) => {
    const service = await fakeService(() => reply);
    const { workflow } = await runToEnd(await start(fast), chainSubmission(service.port, "a:A"));
    expect(workflow.status).toBe("failed");
    expect(service.executes()).toHaveLength(1);
  });

  it("says what is wrong with a running without a task_id", async () => {
    const { port } = await fakeService(() => ({ json: { status: "running", task_id: "" } }));
    const { tasks } = await runToEnd(await start(), chainSubmission(port, "a:A"));
    expect(tasks[0]?.error).toBe(
      "Expected running to carry a task_id to poll with, found none (R-EXEC-08, R-EXEC-09)",
    );
  });

  it("is repeated as the node's own policy says", async () => {
    const service = await fakeService((call, count) =>
      count === 1 ? { json: { status: "failed", error: "broken" } } : echo(call, count),
    );
    const nodes = { "a:A": { retry: { attempts: 2, backoff_s: 0, on: ["failed" as const] } } };
    const { workflow } = await runToEnd(await start(), { ...chainSubmission(service.port, "a:A"), nodes });
    expect(workflow.status).toBe("completed");
  });

  it("sends again what a sequential service lost, under a new key (R-LOST-01)", async () => {
    const service = await fakeService((call, count) =>
      count === 1 ? { json: { status: "failed", error: "Lost", retryable: true } } : echo(call, count),
    );
    const { workflow } = await runToEnd(
      await start({ retry_backoff_s: 0.001 }),
      chainSubmission(service.port, "a:A"),
    );
    expect(workflow.status).toBe("completed");
    expect(new Set(service.executes().map(({ headers }) => headers["idempotency-key"])).size).toBe(2);
  });

  it("waits with growing, jittered pauses, and as long as Retry-After asks, up to 60 s", async () => {
    const clock = manualClock();
    const retryAfter = ["", "", "", "7", "900"];
    const service = await fakeService((_call, count) => {
      const seconds = retryAfter[count - 1] ?? "";
      return { status: 503, headers: seconds === "" ? {} : { "retry-after": seconds } };
    });
    const orchestrator = await start({ clock, random: () => 0.5, retry_attempts: 6, task_timeout_s: 3600 });
    const { workflow_id } = await orchestrator.submit(chainSubmission(service.port, "a:A"));
    for (const [index, pause] of [250, 500, 1000, 7000, 60_000].entries()) {
      await until("the pause", async () =>
        (await orchestrator.tasks(workflow_id))[0]?.message?.startsWith(`Attempt ${index + 1} of 6`),
      );
      expect((await orchestrator.tasks(workflow_id))[0]).toMatchObject({ status: "running", error: null });
      expect(clock.pending()[0]).toBe(pause);
      clock.advance(pause - 1);
      expect(service.executes()).toHaveLength(index + 1);
      clock.advance(1);
      await until("the next attempt", () => service.executes().length === index + 2);
    }
    expect((await orchestrator.wait(workflow_id)).status).toBe("failed");
  });

  it("lets what runs finish and starts nothing new", async () => {
    let release: ((reply: Reply) => void) | undefined;
    const service = await fakeService((call, count) => {
      if (call.body.method === "Bad") return { json: { status: "failed", error: "broken" } };
      if (call.body.method === "Slow")
        return new Promise<Reply>((resolve) => {
          release = resolve;
        });
      return echo(call, count);
    });
    const nodes = ["b:Bad", "s:Slow", "n:Next"];
    const orchestrator = await start();
    const { workflow_id } = await orchestrator.submit({
      blueprint: blueprintOf(nodes, [["s:Slow", "n:Next"]]),
      dockerinfo: dockerinfoOf(nodes, service.port),
    });
    const statuses = async () => (await orchestrator.tasks(workflow_id)).map(({ status }) => status).join();
    await until("the failure", async () => (await statuses()) === "failed,running,pending" && release);
    expect((await orchestrator.workflow(workflow_id)).status).toBe("running");
    release?.({ json: { status: "complete" } });
    const { error } = await orchestrator.wait(workflow_id);
    const [bad] = await orchestrator.tasks(workflow_id);
    expect([await statuses(), error]).toEqual([
      "failed,completed,pending",
      `Task ${bad?.task_id} failed: broken`,
    ]);
  });
});

describe("a concurrent service", () => {
  it("is polled under its handle with a long wait, at once again when it honoured it", async () => {
    const waited = { "preference-applied": "wait=20" };
    const service = await fakeService(
      concurrent((count) => (count < 4 ? { ...(running(count * 20) as object), headers: waited } : complete)),
    );
    const clock = manualClock();
    const { tasks } = await runToEnd(await start({ clock }), chainSubmission(service.port, "a:A"));
    const polls = service.calls.filter(({ path }) => path === "/control/status/h1");
    expect(polls.map(({ headers }) => headers.prefer)).toEqual(Array(4).fill("wait=20"));
    expect(tasks[0]).toMatchObject({ status: "completed", progress: 100, output_refs: [{ format: "json" }] });
  });

  it("is polled with growing pauses when it does not wait", async () => {
    const clock = manualClock();
    const service = await fakeService(concurrent((count) => (count < 9 ? running(10) : complete)));
    const orchestrator = await start({ clock });
    const { workflow_id } = await orchestrator.submit(chainSubmission(service.port, "a:A"));
    const pauses: number[] = [];
    while (pauses.length < 8) {
      const before = service.calls.length;
      const pause = await until("a pause", () => clock.pending().find((delay) => delay <= 5000));
      pauses.push(pause);
      clock.advance(pause);
      await until("the next poll", () => service.calls.length > before);
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect((await orchestrator.wait(workflow_id)).status).toBe("completed");
  });

  it("reports progress that never goes down", async () => {
    const given = [10, 250, 5, -3, 100];
    const { port } = await fakeService(
      concurrent((count) => (count <= given.length ? running(given[count - 1] as number) : complete)),
    );
    const orchestrator = await start({ poll_interval_s: 0.01 });
    const { workflow_id } = await orchestrator.submit(chainSubmission(port, "a:A"));
    const seen: number[] = [];
    orchestrator.watch(workflow_id, (change) => {
      if (change.kind === "task" && change.task.progress !== undefined) seen.push(change.task.progress);
    });
    await orchestrator.wait(workflow_id);
    expect([...new Set(seen)]).toEqual([10, 100]);
  });

  it("that forgot the task gets it again, as a new request", async () => {
    const service = await fakeService(
      concurrent((_count, handle) =>
        handle === "h1" ? { status: 404, json: { detail: "Task not found" } } : complete,
      ),
    );
    const { workflow } = await runToEnd(
      await start({ retry_backoff_s: 0.001 }),
      chainSubmission(service.port, "a:A"),
    );
    expect(workflow.status).toBe("completed");
    expect(new Set(service.executes().map(({ headers }) => headers["idempotency-key"])).size).toBe(2);
  });

  it("that lost the task gets it again (R-LOST-01)", async () => {
    const lost = { json: { status: "failed", progress: 5, error: "Lost", retryable: true } };
    const service = await fakeService(concurrent((_count, handle) => (handle === "h1" ? lost : complete)));
    expect(
      (await runToEnd(await start({ retry_backoff_s: 0.001 }), chainSubmission(service.port, "a:A"))).workflow
        .status,
    ).toBe("completed");
    expect(service.executes()).toHaveLength(2);
  });

  it("that misses a poll is asked again, without executing again", async () => {
    const service = await fakeService(
      concurrent((count) => (count === 1 ? "reset" : count === 2 ? { status: 502 } : complete)),
    );
    expect(
      (await runToEnd(await start({ retry_backoff_s: 0.001 }), chainSubmission(service.port, "a:A"))).workflow
        .status,
    ).toBe("completed");
    expect(service.executes()).toHaveLength(1);
  });

  it("is asked to cancel a task that is over its limit", async () => {
    const service = await fakeService(concurrent(() => "hang"));
    const clock = manualClock();
    const nodes = { "a:A": { timeout_s: 60 } };
    const orchestrator = await start({ clock });
    const { workflow_id } = await orchestrator.submit({ ...chainSubmission(service.port, "a:A"), nodes });
    await until("the poll", () => service.calls.some(({ path }) => path === "/control/status/h1"));
    clock.advance(60_000);
    await orchestrator.wait(workflow_id);
    expect((await orchestrator.tasks(workflow_id))[0]).toMatchObject({
      status: "failed",
      error: "Timed out after 60 s",
      failure: "limit",
    });
    await until("the cancel", () =>
      service.calls.some(({ method, path }) => `${method} ${path}` === "POST /control/cancel/h1"),
    );
  });
});

describe("remove", () => {
  it("cancels what runs, asks the service to stop, tells who waits, and forgets", async () => {
    const service = await fakeService(concurrent(() => "hang"));
    const orchestrator = await start();
    const { workflow_id } = await orchestrator.submit(chainSubmission(service.port, "a:A", "b:B"));
    await until("the poll", () => service.calls.length === 2);
    const changes: Change[] = [];
    orchestrator.watch(workflow_id, (change) => changes.push(change));
    const waiting = orchestrator.wait(workflow_id);
    await orchestrator.remove(workflow_id);
    expect(await waiting).toMatchObject({ status: "failed", error: "Cancelled" });
    expect(changes).toMatchObject([
      { kind: "task", task: { node_key: "a:A", status: "failed", error: "Cancelled" } },
      { kind: "workflow", workflow: { status: "failed", error: "Cancelled" } },
    ]);
    await expect(orchestrator.workflow(workflow_id)).rejects.toThrow("Workflow not found");
    await until("the cancel", () => service.calls.some(({ path }) => path === "/control/cancel/h1"));
    expect(service.executes()).toHaveLength(1);
  });
});

describe("the services key", () => {
  const canary = "canary-key-0123456789";

  it("goes to every call, and nowhere else, even if the service echoes it", async () => {
    const lines: string[] = [];
    const write = (...line: unknown[]) => lines.push(JSON.stringify(line));
    const logger = { debug: write, info: write, warn: write, error: write };
    const echoes: Answering[] = [
      ({ headers }) => ({ json: { status: "failed", error: `bad token ${headers.authorization}` } }),
      ({ headers }) => ({ status: 400, json: { detail: `${"x".repeat(485)}${headers.authorization}` } }),
      () => ({ json: { status: canary } }),
      () => ({ json: { status: "running", task_id: canary } }),
      () => ({
        json: {
          status: "complete",
          output: { protocol: "http", uri: `http://h/?k=${canary}`, format: "csv" },
        },
      }),
      concurrent(() => ({ json: { status: "failed", error: canary } })),
    ];
    const orchestrator = await start({ logger, listen: true });
    for (const answering of echoes) {
      const service = await fakeService(answering);
      const submission = { ...chainSubmission(service.port, "a:A"), services_api_key: canary };
      const { workflow_id, workflow, tasks } = await runToEnd(orchestrator, submission);
      expect(workflow.status).toBe("failed");
      expect(service.calls.every(({ headers }) => headers.authorization === `Bearer ${canary}`)).toBe(true);
      const answers = await Promise.all(
        ["", "/tasks"].map(async (path) =>
          (await fetch(`${orchestrator.url}/workflows/${workflow_id}${path}`)).text(),
        ),
      );
      // Its beginning, because texts are cut at a length.
      expect(JSON.stringify([workflow, tasks, answers, lines])).not.toContain(canary.slice(0, 8));
    }
    expect(lines.length).toBeGreaterThan(echoes.length);
  });

  it("leaves no open connection behind when the workflow has ended", async () => {
    const open = new Set<object>();
    const server = createServer((socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      const body = '{"status":"complete"}';
      socket.on("data", () =>
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
      );
      socket.on("error", () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    await runToEnd(await start(), { ...chainSubmission(port, "a:A"), services_api_key: canary });
    await until("the close", () => open.size === 0);
  });
});

describe("an orchestrator", () => {
  it("keeps as many ended workflows as told, for as long as told", async () => {
    const clock = manualClock();
    const { port } = await fakeService(echo);
    const orchestrator = await start({ clock, max_ended_workflows: 2, keep_ended_s: 100 });
    const ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      ids.push((await runToEnd(orchestrator, chainSubmission(port, "a:A"))).workflow_id);
      clock.advance(1000);
    }
    const kept = async () =>
      (await Promise.allSettled(ids.map(orchestrator.workflow))).map(({ status }) => status === "fulfilled");
    expect(await kept()).toEqual([false, true, true]);
    clock.advance(98_000);
    expect(await kept()).toEqual([false, false, true]);
    clock.advance(1000);
    expect(await kept()).toEqual([false, false, false]);
  });

  it("tells every change in order to who watches", async () => {
    const { port } = await fakeService(concurrent((count) => (count === 1 ? running(50) : complete)));
    const orchestrator = await start();
    const { workflow_id } = await orchestrator.submit(chainSubmission(port, "a:A"));
    const changes: string[] = [];
    orchestrator.watch(workflow_id, (change) =>
      changes.push(
        change.kind === "task"
          ? `task ${change.task.status} ${change.task.progress ?? "-"}`
          : `workflow ${change.workflow.status}`,
      ),
    );
    orchestrator.watch(workflow_id, () => {
      throw new Error("a listener of somebody else");
    });
    await orchestrator.wait(workflow_id);
    expect(changes).toEqual([
      "task running -",
      "task running 50",
      "task completed 100",
      "workflow completed",
    ]);
  });

  it("gives up waiting when told, and when it is closed", async () => {
    const { port } = await fakeService(() => "hang");
    const orchestrator = await start();
    const { workflow_id } = await orchestrator.submit(chainSubmission(port, "a:A"));
    await expect(orchestrator.wait(workflow_id, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "aborted",
    });
    const waiting = expect(orchestrator.wait(workflow_id)).rejects.toMatchObject({ code: "aborted" });
    await orchestrator.close();
    await waiting;
    await expect(orchestrator.submit(chainSubmission(port, "a:A"))).rejects.toMatchObject({
      code: "stopping",
    });
    await expect(orchestrator.wait("wf-unknown")).rejects.toBeInstanceOf(ControlError);
  });

  it("ends a workflow at its own limit", async () => {
    const { port } = await fakeService(() => "hang");
    const { workflow } = await runToEnd(await start(), { ...chainSubmission(port, "a:A"), timeout_s: 0.05 });
    expect(workflow).toMatchObject({ status: "failed", error: "Workflow timed out after 0.05 s" });
  });

  it("gives up a workflow whose events the store does not take", async () => {
    const { port } = await fakeService(echo);
    let appends = 0;
    const states = new Map();
    const orchestrator = await start({
      store: {
        async append({ workflow_id, state }) {
          if (++appends > 1) throw new Error("disk full");
          states.set(workflow_id, state);
        },
        load: async (id) => states.get(id),
        list: async () => [],
        remove: async () => {},
      },
    });
    const { workflow_id } = await orchestrator.submit(chainSubmission(port, "a:A"));
    expect(await orchestrator.wait(workflow_id)).toMatchObject({
      status: "failed",
      error: "The orchestrator could not record the workflow",
    });
  });

  it("names the option that makes no sense", async () => {
    await expect(createOrchestrator({ retry_attempts: 0 })).rejects.toThrow(
      "Expected retry_attempts to be an integer from 1 to 100, got 0",
    );
    await expect(createOrchestrator({ call_timeout_s: Number.NaN })).rejects.toThrow(
      /^Expected call_timeout_s to be a number/,
    );
  });
});
