import { describe, expect, it } from "vitest";
import { Findings } from "./context.ts";
import { createTimed } from "./timed.ts";

const say = (took_ms: number) => ({ expected: "at most 100 ms", found: `${took_ms} ms` });

/** Times work that takes so long, one after another, on a machine that is as quiet as is said. */
async function time(...measured: readonly { took_ms: number; quiet: boolean }[]) {
  const findings = new Findings("MUST");
  let clock = 0;
  let at = -1;
  const timed = createTimed(findings, {
    now: () => clock,
    watch: () => () => ({ quiet: measured[at]?.quiet ?? true, lag_ms: 0, busy: 0 }),
  });
  const value = await timed(100, "E_DEADLINE", say, async () => {
    clock += measured[++at]?.took_ms ?? 0;
    return `answer ${at + 1}`;
  });
  const verdicts = findings.all.map(({ status, code, found }) => `${status} ${code} ${found}`);
  return { value, checks: findings.checks, verdicts };
}

describe("timed", () => {
  it("holds within the budget, however busy the machine is", async () => {
    const outcome = await time({ took_ms: 100, quiet: false });
    expect(outcome).toEqual({ value: "answer 1", checks: 1, verdicts: [] });
  });

  it("fails where a quiet machine is over the budget twice", async () => {
    const outcome = await time({ took_ms: 101, quiet: true }, { took_ms: 120, quiet: true });
    expect(outcome).toEqual({ value: "answer 2", checks: 1, verdicts: ["fail E_DEADLINE 120 ms"] });
  });

  it("measures again on a quiet machine before it fails on what a busy one measured", async () => {
    const outcome = await time({ took_ms: 300, quiet: false }, { took_ms: 120, quiet: true });
    expect(outcome.verdicts).toEqual(["fail E_DEADLINE 120 ms"]);
  });

  it("is inconclusive where the machine is busy", async () => {
    const outcome = await time({ took_ms: 300, quiet: false }, { took_ms: 400, quiet: false });
    expect(outcome).toEqual({ value: "answer 2", checks: 0, verdicts: ["inconclusive E_DEADLINE 400 ms"] });
  });

  it("is inconclusive where it does not happen again, and tells what happened", async () => {
    const outcome = await time({ took_ms: 300, quiet: true }, { took_ms: 20, quiet: true });
    expect(outcome.verdicts).toEqual(["inconclusive E_DEADLINE 300 ms"]);
  });

  it("fails at once where no machine is to blame", async () => {
    const outcome = await time({ took_ms: 501, quiet: false });
    expect(outcome).toEqual({ value: "answer 1", checks: 1, verdicts: ["fail E_DEADLINE 501 ms"] });
  });

  it("fails on a busy machine where the second time is hopeless", async () => {
    const outcome = await time({ took_ms: 300, quiet: false }, { took_ms: 501, quiet: false });
    expect(outcome.verdicts).toEqual(["fail E_DEADLINE 501 ms"]);
  });
});
