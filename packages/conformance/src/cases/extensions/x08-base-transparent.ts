import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { judge } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { longestOf } from "../concurrent/observe.ts";
import { optional } from "../optional.ts";
import { isServed } from "../prerequisites.ts";
import { readStream } from "./event-stream.ts";
import { start, waitFor } from "./wait.ts";

export const baseTransparent = defineCase({
  id: "X08",
  slug: "ext/base-transparent",
  profile: "extensions",
  level: "MUST",
  because: "orchestrator",
  rules: ["R-EXEC-16", "R-READ-01", "R-RUN-10"],
  needs: ["sample"],
  holds:
    "A client that knows no extension sees nothing of those that others use on the same tasks: three status words, no 429, a handle with every running",
  consequence:
    "The deployed orchestrator knows no extension: a new word, a 429 or a running without a handle fails the task, or hangs it, as soon as a newer client takes part.",
  fix: "Answer as in part A of CONTRACT.md unless the call itself asks for more.",
  turn: "late",
  async run(t) {
    const extensions = t.operations?.extensions ?? [];
    if (extensions.length === 0) return t.notApplicable("the service declares no extension");
    const has = (name: string) => extensions.includes(name);
    const slow = optional(() => t.slow());
    if (slow !== undefined) await besideOthers(t, slow, has);
    await afterAKey(t, t.sample(), has("idempotency"));
  },
});

/** Polls as the deployed orchestrator does while newer clients wait, follow and cancel. */
async function besideOthers(t: CaseContext, sample: Sample, has: (name: string) => boolean): Promise<void> {
  for (const ending of has("cancel") ? ["end", "cancel"] : ["end"]) {
    const isCancelled = ending === "cancel";
    const { handle, execute } = await start(t, (isCancelled && t.lasting()) || sample);
    isOld(t, execute, "execute");
    const timeout_ms = longestOf(t, sample);
    const others: Promise<unknown>[] = [];
    const leave = new AbortController();
    const call = { fresh: true, timeout_ms, signal: leave.signal };
    const waitOn = async () => {
      while (!leave.signal.aborted && isServed(await waitFor(t, handle, 20, call)));
    };
    if (has("wait")) for (let n = 0; n < 5; n++) others.push(waitOn());
    if (has("events")) others.push(readStream(t, handle, { timeout_ms }));
    const deadline = performance.now() + timeout_ms;
    for (let polls = 0; performance.now() < deadline; polls++) {
      if (isCancelled && polls === 8) {
        await t.send({ method: "POST", path: `/control/cancel/${handle}` });
      }
      const status = await t.status(handle);
      isOld(t, status, "status");
      const word = judge(status, "status")?.read_as?.status;
      if (word === "complete") isOld(t, await t.output(handle), "output");
      if (word !== "running") break;
      await new Promise((resolve) => setTimeout(resolve, t.settings.poll_interval_ms));
    }
    leave.abort();
    await Promise.all(others);
  }
}

/** Sends what a newer client has sent with a key, without one. */
async function afterAKey(t: CaseContext, sample: Sample, hasKeys: boolean): Promise<void> {
  const ids = { workflow_id: t.id("wf"), task_id: t.id("task") };
  const headers = hasKeys ? { "idempotency-key": t.id("key") } : {};
  await t.run(sample, { ...ids, headers });
  const again = await t.execute(sample, ids);
  isOld(t, again, "execute");
  await t.follow(sample, again);
}

function isOld(t: CaseContext, exchange: Exchange, kind: "execute" | "status" | "output"): void {
  const { status, body } = t.replied(exchange);
  const verdict = judge(exchange, kind);
  const holds = verdict?.accepted === true && verdict.outcome !== "hangs";
  t.require(holds, "E_NOT_TRANSPARENT", {
    expected: `an answer to ${kind} that a client without extensions takes`,
    found: `${status}: ${body.toString().slice(0, 200)} (${verdict?.why})`,
    at: exchange,
  });
}
