import type { DataReference } from "@aieffect/control-interface";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyEvent } from "../core/apply-event.ts";
import { decide, nextWake } from "../core/decide.ts";
import type { WorkflowEvent } from "../core/events.ts";
import type { NodeSpec, WorkflowSpec } from "../core/spec.ts";
import { activeIn, hasEnded, taskAt, type WorkflowState } from "../core/state.ts";
import { plan } from "./event-loop.ts";

const retry = { attempts: 3, backoff_s: 0.5, on: [] };

/** A spec of a graph whose edges go from lower to higher indices. */
function specOf(
  size: number,
  edges: readonly (readonly [number, number])[],
  more: Partial<WorkflowSpec> = {},
): WorkflowSpec {
  const nodes = Array.from({ length: size }, (_, index): NodeSpec => {
    const of = (side: 0 | 1, other: 0 | 1) =>
      edges.filter((edge) => edge[side] === index).map((edge) => edge[other]);
    return {
      key: `c${index}:Op`,
      operation: "Op",
      address: "http://host:1",
      predecessors: of(1, 0),
      successors: of(0, 1),
      timeout_s: 1000,
      retry,
    };
  });
  const inputs = [refOf("initial")];
  return {
    name: "",
    nodes,
    inputs,
    timeout_s: null,
    correlation_id: null,
    labels: {},
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ...more,
  };
}

function refOf(uri: string): DataReference {
  return { protocol: "file", uri, format: "csv", metadata: {} };
}

function accept(spec: WorkflowSpec, at = 0) {
  const event: WorkflowEvent = { type: "accepted", at, workflow_id: "wf-1", spec };
  return plan(undefined, [{ workflow_id: "wf-1", event }], at) as {
    state: WorkflowState;
    events: WorkflowEvent[];
  };
}

// Up to three blocks of tasks.
const graphs = fc.integer({ min: 1, max: 40 }).chain((size) =>
  fc
    .uniqueArray(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), {
      selector: ([a, b]) => a * size + b,
      maxLength: 90,
    })
    .map((edges) =>
      specOf(
        size,
        edges.filter(([from, to]) => from < to),
      ),
    ),
);

/** What happens to a running task: 0-5 it completes (0 without an output), 6 transient failure, 7 final failure. */
const fates = fc.array(fc.tuple(fc.nat(1000), fc.nat(7)), { minLength: 300, maxLength: 300 });

describe("the core", () => {
  it("starts each node once per attempt, after all its predecessors, with their outputs in order, and ends", () => {
    fc.assert(
      fc.property(graphs, fates, (spec, choices) => {
        let now = 0;
        let { state, events } = accept(spec, now);
        const log = [...events];
        for (const [choice, fate] of choices) {
          if (hasEnded(state)) break;
          const running = activeIn(state).filter((task) => taskAt(state, task)?.retry_at === null);
          const messages = [];
          if (running.length > 0) {
            const task = running[choice % running.length] as number;
            const attempt = taskAt(state, task)?.attempt as number;
            const output = fate === 0 ? null : refOf(`out-${task}`);
            const failed = { type: "attemptFailed", at: now, task, error: "broken", answered: true } as const;
            const event: WorkflowEvent =
              fate < 6
                ? { type: "completed", at: now, task, output }
                : {
                    ...failed,
                    failure: fate === 6 ? "unavailable" : "failed",
                    retry_at: fate === 6 ? now + 5 : null,
                  };
            // Delivered twice: the second one is about a task that is over.
            messages.push({ workflow_id: "wf-1", event, attempt }, { workflow_id: "wf-1", event, attempt });
          } else {
            const wake = nextWake(state) as number;
            expect(wake).toBeGreaterThan(now);
            now = wake;
            messages.push({ workflow_id: "wf-1" });
          }
          const turn = plan(state, messages, now);
          if (turn === undefined) continue;
          state = turn.state;
          log.push(...turn.events);
        }
        checkLog(spec, log);
        expect(hasEnded(state)).toBe(true);
        expect(decide(state, Number.MAX_SAFE_INTEGER)).toEqual([]);
        // Replaying the log gives the same state.
        expect(log.reduce<WorkflowState | undefined>(applyEvent, undefined)).toEqual(state);
        expect(state.version).toBe(log.length);
      }),
    );
  });

  function checkLog(spec: WorkflowSpec, log: readonly WorkflowEvent[]): void {
    const outputs = new Map<number, DataReference | null>();
    const attempts = new Map<number, number>();
    const keys = new Set<string>();
    let failed = false;
    for (const event of log) {
      if (event.type === "started") {
        const { predecessors } = spec.nodes[event.task] as NodeSpec;
        const first = !attempts.has(event.task);
        expect(event.attempt).toBe((attempts.get(event.task) ?? 0) + 1);
        expect(first && failed).toBe(false);
        attempts.set(event.task, event.attempt);
        expect(keys.has(event.idempotency_key)).toBe(false);
        keys.add(event.idempotency_key);
        expect(predecessors.every((task) => outputs.has(task))).toBe(true);
        const expected =
          predecessors.length === 0 ? spec.inputs : predecessors.flatMap((task) => outputs.get(task) ?? []);
        expect(event.inputs).toEqual(expected);
      }
      if (event.type === "completed") outputs.set(event.task, event.output);
      if (event.type === "attemptFailed" && event.retry_at === null) failed = true;
      if (event.type === "ended") {
        expect(event.status).toBe(failed ? "failed" : "completed");
        if (!failed) expect(outputs.size).toBe(spec.nodes.length);
      }
    }
    expect(log.filter(({ type }) => type === "ended")).toHaveLength(1);
  }

  it("never changes a state that it was given", () => {
    const { state } = accept(
      specOf(3, [
        [0, 1],
        [1, 2],
      ]),
    );
    const before = structuredClone(state);
    const event: WorkflowEvent = { type: "completed", at: 1, task: 0, output: null };
    plan(state, [{ workflow_id: "wf-1", event, attempt: 1 }], 1);
    expect(state).toEqual(before);
  });

  it("copies a part of the tasks for an event, not all of them", () => {
    const { state } = accept(specOf(1000, []));
    const event: WorkflowEvent = { type: "completed", at: 1, task: 500, output: null };
    const after = plan(state, [{ workflow_id: "wf-1", event, attempt: 1 }], 1)?.state as WorkflowState;
    const shared = after.blocks.filter((block, index) => block === state.blocks[index]);
    expect(shared).toHaveLength(state.blocks.length - 1);
    const largest = Math.max(after.blocks.length, ...after.blocks.map(({ tasks }) => tasks.length));
    expect(largest).toBeLessThan(50);
    expect(taskAt(after, 500)?.status).toBe("completed");
    expect(taskAt(state, 500)?.status).toBe("running");
  });

  it("repeats the idempotency key only where no answer came", () => {
    let { state } = accept(specOf(1, []));
    const keys = [taskAt(state, 0)?.idempotency_key];
    for (const answered of [false, true]) {
      const event: WorkflowEvent = {
        type: "attemptFailed",
        at: 0,
        task: 0,
        error: "",
        failure: "timeout",
        answered,
        retry_at: 1,
      };
      const failed = plan(state, [{ workflow_id: "wf-1", event, attempt: keys.length }], 0);
      state = plan(failed?.state, [{ workflow_id: "wf-1" }], 1)?.state as WorkflowState;
      keys.push(taskAt(state, 0)?.idempotency_key);
    }
    const task_id = taskAt(state, 0)?.task_id;
    expect(keys).toEqual([`wf-1:${task_id}:1`, `wf-1:${task_id}:1`, `wf-1:${task_id}:3`]);
  });

  it("fails with the error of the task that failed first", () => {
    const { state } = accept(specOf(2, []));
    const messages = [1, 0].map((task) => ({
      workflow_id: "wf-1",
      attempt: 1,
      event: {
        type: "attemptFailed",
        at: 1,
        task,
        error: `broken ${task}`,
        failure: "failed",
        answered: true,
        retry_at: null,
      } as const,
    }));
    const ended = plan(state, messages, 1)?.state;
    expect(ended?.error).toBe(`Task ${taskAt(ended as WorkflowState, 1)?.task_id} failed: broken 1`);
  });

  it("drops what comes late: from an older attempt, or after the end", () => {
    const { state } = accept(specOf(1, []));
    const late: WorkflowEvent = { type: "completed", at: 1, task: 0, output: null };
    expect(plan(state, [{ workflow_id: "wf-1", event: late, attempt: 0 }], 1)).toBeUndefined();
    expect(plan(undefined, [{ workflow_id: "wf-1", event: late, attempt: 1 }], 1)).toBeUndefined();
  });

  it("fails a task at its limit, counted over all attempts, and a workflow at its own", () => {
    const { state } = accept(specOf(1, []));
    expect(nextWake(state)).toBe(1_000_000);
    expect(plan(state, [{ workflow_id: "wf-1" }], 1_000_000)?.state).toMatchObject({
      status: "failed",
      blocks: [{ tasks: [{ status: "failed", error: "Timed out after 1000 s", failure: "limit" }] }],
    });
    const limited = accept(specOf(2, [[0, 1]], { timeout_s: 3 })).state;
    expect(plan(limited, [{ workflow_id: "wf-1" }], 3000)?.state).toMatchObject({
      status: "failed",
      error: "Workflow timed out after 3 s",
      blocks: [
        { tasks: [{ status: "failed", error: "Workflow timed out after 3 s" }, { status: "pending" }] },
      ],
    });
  });

  it.each<[string, WorkflowEvent]>([
    [
      "a start of a task whose predecessors are not done",
      { type: "started", at: 1, task: 1, attempt: 1, idempotency_key: "k", inputs: [], deadline_at: 1 },
    ],
    [
      "a second start",
      { type: "started", at: 1, task: 0, attempt: 1, idempotency_key: "k", inputs: [], deadline_at: 1 },
    ],
    ["an end of a task that does not run", { type: "completed", at: 1, task: 1, output: null }],
    ["a task that is not there", { type: "progressed", at: 1, task: 2, progress: 1, message: null }],
    ["a second acceptance", { type: "accepted", at: 1, workflow_id: "wf-1", spec: specOf(1, []) }],
  ])("refuses %s", (_name, event) => {
    const { state } = accept(specOf(2, [[0, 1]]));
    expect(() => applyEvent(state, event)).toThrow(/^Expected/);
  });
});
