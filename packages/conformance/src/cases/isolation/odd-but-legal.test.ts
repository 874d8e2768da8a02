import { describe, expect, it } from "vitest";
import { runAgainst } from "../../zoo/judge-mutant.ts";
import type { Hooks } from "../../zoo/pristine.ts";
import { isolationCases } from "./index.ts";

/** What cases come to on a pristine service with these hooks. */
async function judge(ids: readonly string[], hooks: Hooks) {
  const results = await runAgainst(
    { hooks },
    isolationCases.filter(({ id }) => ids.includes(id)),
  );
  return results.map((result) => [
    result.case.id,
    result.status,
    result.findings.map(({ code }) => code).join(),
    result.reason ?? "",
  ]);
}

const passes = (...ids: string[]) => ids.map((id) => [id, "pass", "", ""]);

describe("isolation, on services that are odd but legal", () => {
  it("takes one that works on one task after another", async () => {
    let last: Promise<unknown> = Promise.resolve();
    const hooks: Hooks = {
      work(_task, next) {
        const made = last.then(next);
        last = made.catch(() => {});
        return made;
      },
    };
    expect(await judge(["I01", "I02", "I03", "I05"], hooks)).toEqual(passes("I01", "I02", "I03", "I05"));
  });

  it("takes one whose queue is full", async () => {
    let running = 0;
    const hooks: Hooks = {
      async call(call, next) {
        if (call.path !== "/control/execute") return next();
        if (running >= 6) return { status: 503, headers: { "retry-after": "1" }, body: { detail: "Full" } };
        running++;
        return next().finally(() => running--);
      },
    };
    expect(await judge(["I02", "I03"], hooks)).toEqual(passes("I02", "I03"));
  });

  it("takes one that cannot do without parameters", async () => {
    const hooks: Hooks = {
      work(task, next) {
        const needs = task.body.method === "Echo" && task.body.parameters.k === undefined;
        return needs ? Promise.reject(new Error("Expected k")) : next();
      },
    };
    expect(await judge(["I04"], hooks)).toEqual(passes("I04"));
  });

  it("cannot compare outputs that are never the same", async () => {
    let serial = 0;
    const hooks: Hooks = {
      work: async (_task, next) => ({ ...(await next()), bytes: Buffer.from(`{"n":${++serial}}`) }),
    };
    for (const [, status, codes, reason] of await judge(["I01", "I02", "I04"], hooks)) {
      expect([status, codes]).toEqual(["untestable", ""]);
      expect(reason).toContain("name what differs in compare.ignore");
    }
  });
});
