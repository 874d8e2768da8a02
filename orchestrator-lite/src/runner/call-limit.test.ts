import { until } from "@aieffect/test-support";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { createOrchestrator } from "../create-orchestrator.ts";
import type { OrchestratorOptions } from "../options.ts";
import { blueprintOf, dockerinfoOf } from "../testing/documents.ts";
import { echo, fakeService, outputOf, type Reply } from "../testing/fake-service.ts";
import { createCallLimit } from "./call-limit.ts";

async function start(options: OrchestratorOptions) {
  const orchestrator = await createOrchestrator({ listen: false, ...options });
  onTestFinished(orchestrator.close);
  return orchestrator;
}

/** So many nodes of one container that have nothing to do with each other. */
function wide(port: number, size: number, container = "a") {
  const nodes = Array.from({ length: size }, (_, index) => `${container}:Op${index}`);
  return { blueprint: blueprintOf(nodes), dockerinfo: dockerinfoOf(nodes, port) };
}

/** A service whose executes wait until they are let go. */
async function holdingService() {
  const held: (() => void)[] = [];
  let peak = 0;
  const service = await fakeService(async (call, count) => {
    if (call.path !== "/control/execute") return { status: 404 };
    await new Promise<void>((resolve) => {
      held.push(resolve);
      peak = Math.max(peak, held.length);
    });
    return echo(call, count);
  });
  return { ...service, held, peak: () => peak };
}

describe("executes at one service", () => {
  it("are no more at once than the limit, over all workflows; the others wait for their turn", async () => {
    const orchestrator = await start({ max_calls_per_service: 3 });
    const service = await holdingService();
    const other = await fakeService(echo);
    const first = await orchestrator.submit(wide(service.port, 7));
    const second = await orchestrator.submit(wide(service.port, 4));
    await until("three executes", () => service.held.length === 3);
    // A service that nobody waits for is called at once.
    const beside = await orchestrator.submit(wide(other.port, 3, "b"));
    expect((await orchestrator.wait(beside.workflow_id)).status).toBe("completed");
    expect((await orchestrator.tasks(second.workflow_id)).map(({ status }) => status)).toEqual(
      Array(4).fill("running"),
    );
    for (let done = 0; done < 11; done++) {
      await until("the next execute", () => service.held.length > 0);
      service.held.shift()?.();
    }
    for (const { workflow_id } of [first, second]) {
      expect((await orchestrator.wait(workflow_id)).status).toBe("completed");
    }
    expect(service.peak()).toBe(3);
    expect(service.executes().map(({ body }) => body.method)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3].map((index) => `Op${index}`),
    );
    expect(service.connections()).toBe(3);
  });

  it("that wait are forgotten with their workflow, and their services not asked to cancel", async () => {
    const orchestrator = await start({ max_calls_per_service: 2 });
    const service = await holdingService();
    const { workflow_id } = await orchestrator.submit(wide(service.port, 6));
    await until("two executes", () => service.held.length === 2);
    await orchestrator.remove(workflow_id);
    const next = await orchestrator.submit(wide(service.port, 1, "n"));
    await until("the next workflow's execute", () => service.held.length === 3);
    for (const letGo of service.held) letGo();
    expect((await orchestrator.wait(next.workflow_id)).status).toBe("completed");
    expect(service.executes()).toHaveLength(3);
    const cancels = service.calls.filter(({ path }) => path.startsWith("/control/cancel/"));
    expect(cancels.length).toBeLessThanOrEqual(2);
  });
});

describe("tasks in the background", () => {
  it("are followed beside those whose polls are held back, however many there are", async () => {
    const orchestrator = await start({ max_calls_per_service: 2, poll_interval_s: 0.01 });
    let handles = 0;
    const held: ((reply: Reply) => void)[] = [];
    const complete: Reply = { json: { status: "complete", progress: 100, error: null } };
    const service = await fakeService(({ path, headers, body }) => {
      if (path === "/control/execute") return { json: { status: "running", task_id: `h${++handles}` } };
      if (path.startsWith("/control/output/")) {
        return {
          json: { output: outputOf({ ...body, method: "M", workflow_id: "w", task_id: "t", inputs: [] }) },
        };
      }
      if (headers.prefer === undefined) return complete;
      return new Promise<Reply>((resolve) => held.push(resolve));
    });
    const { workflow_id } = await orchestrator.submit(wide(service.port, 8));
    await until("the others", async () => {
      const tasks = await orchestrator.tasks(workflow_id);
      return tasks.filter(({ status }) => status === "completed").length === 6;
    });
    expect(held).toHaveLength(2);
    for (const letGo of held) letGo(complete);
    expect((await orchestrator.wait(workflow_id)).status).toBe("completed");
  });
});

it("a limit lets in first come, first served, never more than it may, and loses nobody", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.tuple(fc.constantFrom("enter", "leave", "give up"), fc.nat(50)), { maxLength: 80 }),
      (max, steps) => {
        const limit = createCallLimit(max);
        const inside: (() => void)[] = [];
        const began: number[] = [];
        const expected: number[] = [];
        let waiting: { id: number; giveUp: () => void }[] = [];
        for (const [id, [step, pick]] of steps.entries()) {
          if (step === "enter") {
            expected.push(id);
            const giveUp = limit.enter((leave) => {
              began.push(id);
              waiting = waiting.filter((one) => one.id !== id);
              inside.push(leave);
            });
            if (!began.includes(id)) waiting.push({ id, giveUp });
          } else if (step === "leave" && inside.length > 0) {
            const [leave] = inside.splice(pick % inside.length, 1);
            leave?.();
            // A second time means nothing.
            leave?.();
          } else if (step === "give up" && waiting.length > 0) {
            const [gone] = waiting.splice(pick % waiting.length, 1);
            gone?.giveUp();
            expected.splice(expected.indexOf(gone?.id as number), 1);
          }
          expect(limit.going).toBe(inside.length);
          expect(limit.waiting).toBe(waiting.length);
          expect(inside.length).toBeLessThanOrEqual(max);
          expect(waiting.length === 0 || inside.length === max).toBe(true);
        }
        for (let leave = inside.shift(); leave !== undefined; leave = inside.shift()) leave();
        expect(began).toEqual(expected);
      },
    ),
  );
});
