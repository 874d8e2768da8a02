import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { readAs } from "../../engine/drive.ts";
import type { Sample } from "../../target/sample.ts";
import type { Exchange } from "../../wire/exchange.ts";
import { begin, longestOf, observe, wordOf } from "../concurrent/observe.ts";
import { start } from "./wait.ts";

/** So long a task may go on after it was cancelled. */
const budget_ms = 5000;
/** So often the race with the end is run. */
const races = 10;

export const cancel = defineCase({
  id: "X06",
  slug: "ext/cancel",
  profile: "extensions",
  level: "MUST",
  because: "data",
  rules: ["R-CANCEL-01", "R-CANCEL-02", "R-CANCEL-03"],
  needs: ["slow"],
  extension: "cancel",
  holds:
    'Cancelling a task that runs answers 202 and ends it as failed with "Cancelled"; one that ended answers 200 and is not changed; an unknown one 404; of cancel and completion one wins',
  consequence:
    "A task that was cancelled goes on and costs, or one that was complete is lost, or the two sides believe different ends.",
  fix: "Change the status from running in one step, and let only the first change count; then stop the work.",
  stochastic: true,
  turn: "late",
  async run(t) {
    const unknown = await post(t, t.id("unknown"));
    t.require(t.replied(unknown).status === 404, "E_CANCEL_ANSWER", {
      expected: "404 for an id that was never told",
      found: `${unknown.reply?.status}`,
      at: unknown,
    });
    await ofOneThatRuns(t, t.slow());
    const samples = t.samples().filter(({ mode }) => mode === "concurrent");
    const sample = samples[0] ?? t.slow();
    const took_ms = await ofOneThatEnded(t, sample);
    await inARace(t, sample, took_ms);
  },
});

function post(t: CaseContext, handle: string): Promise<Exchange> {
  return t.send({ method: "POST", path: `/control/cancel/${handle}` });
}

async function ofOneThatRuns(t: CaseContext, sample: Sample): Promise<void> {
  const { handle, execute } = await start(t, sample);
  const cancelled = await post(t, handle);
  const { status, body } = t.replied(cancelled);
  if (status === 200 && /"status"\s*:\s*"(complete|failed)"/.test(body.toString())) {
    const now = readAs(await t.status(handle), "status");
    // Where the answer to execute takes long, the work can be over by then.
    if (now?.status === "complete")
      t.untestable(
        `sample "${sample.name}" of ${sample.method} ended before it could be cancelled; give one that lasts longer`,
      );
  }
  t.require(status === 202, "E_CANCEL_ANSWER", {
    expected: "202 for a task that runs",
    found: `${status}`,
    at: [execute, cancelled],
  });
  const longest_ms = Math.max(t.scaled(budget_ms), 1500);
  const seen = await observe(t, sample, { handle, execute }, { longest_ms });
  const at = [cancelled, seen.polls.at(-1)];
  const code = seen.end === "complete" ? "E_CANCEL_BOTH" : "E_CANCEL_NO_EFFECT";
  t.require(seen.end === "failed", code, {
    expected: `failed within ${budget_ms} ms after 202`,
    found: seen.end === "stuck" ? `running after ${Math.round(seen.took_ms)} ms` : seen.end,
    at,
  });
  const error = seen.ended && readAs(seen.ended, "status")?.error;
  t.check(error === "Cancelled", "E_CANCEL_NO_EFFECT", {
    expected: 'the error "Cancelled"',
    found: JSON.stringify(error) ?? "none",
    at,
  });
  // The work itself would end about now.
  await t.pause(sample.at_least_ms + 500);
  await stays(t, handle, "failed", cancelled);
}

async function ofOneThatEnded(t: CaseContext, sample: Sample): Promise<number> {
  const { handle, execute } = await start(t, sample);
  const seen = await observe(t, sample, { handle, execute }, { output: true });
  if (seen.end !== "complete")
    return t.untestable(`sample "${sample.name}" of ${sample.method} ended ${seen.end}`);
  const cancelled = await post(t, handle);
  const { status } = t.replied(cancelled);
  t.require(status === 200, status >= 500 ? "E_SERVER_ERROR" : "E_CANCEL_ANSWER", {
    expected: "200 for a task that ended",
    found: `${status}`,
    at: [seen.ended, cancelled],
  });
  t.require(wordOf(cancelled) === "complete", "E_CANCEL_ANSWER", {
    expected: "the unchanged status in the answer: complete",
    found: cancelled.reply?.body.toString().slice(0, 200) ?? "",
    at: [seen.ended, cancelled],
  });
  const after = await t.status(handle);
  t.require(wordOf(after) === "complete", "E_CANCEL_REGRESSES", {
    expected: "complete, as before it was cancelled",
    found: wordOf(after) ?? `${after.reply?.status}`,
    at: [seen.ended, cancelled, after],
  });
  return seen.took_ms;
}

/** Cancels around the moment in which tasks end. */
async function inARace(t: CaseContext, sample: Sample, took_ms: number): Promise<void> {
  // Long ones would take long.
  if (took_ms > t.scaled(5000))
    return t.note("the race of cancel and end was left out: every sample takes long");
  const race = async (n: number) => {
    const begun = await begin(t, sample);
    if (begun.handle === undefined) return;
    const wait_ms = took_ms * (0.7 + (0.6 * n) / (races - 1));
    await new Promise((resolve) => setTimeout(resolve, wait_ms));
    const cancelled = await post(t, begun.handle);
    const { status } = t.replied(cancelled);
    t.require(status === 202 || status === 200, "E_CANCEL_ANSWER", {
      expected: "202, or 200 where it had ended",
      found: `${status}`,
      at: [begun.execute, cancelled],
    });
    const seen = await observe(t, sample, begun, { longest_ms: longestOf(t, sample) });
    const winner = status === 202 ? "failed" : "complete";
    t.require(seen.end === winner, seen.end === "stuck" ? "E_CANCEL_NO_EFFECT" : "E_CANCEL_BOTH", {
      expected: `${winner} after ${status}`,
      found: seen.end,
      at: [cancelled, seen.polls.at(-1)],
    });
    await t.pause(100);
    await stays(t, begun.handle, winner, cancelled);
  };
  for (let n = 0; n < races; n += 2) await Promise.all([race(n), race(n + 1)]);
}

async function stays(t: CaseContext, handle: string, word: string, cancelled: Exchange): Promise<void> {
  const status = await t.status(handle);
  t.require(wordOf(status) === word, "E_CANCEL_BOTH", {
    expected: `${word}, as told before`,
    found: wordOf(status) ?? `${status.reply?.status}`,
    at: [cancelled, status],
  });
  if (word !== "failed") return;
  const output = await t.output(handle);
  t.require((output.reply?.status ?? 0) >= 400, "E_CANCEL_BOTH", {
    expected: "no output of a task that was cancelled",
    found: output.reply?.body.toString().slice(0, 200) ?? "no reply",
    at: [cancelled, output],
  });
}
