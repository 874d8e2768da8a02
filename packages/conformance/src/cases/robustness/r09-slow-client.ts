import { setTimeout as sleep } from "node:timers/promises";
import { defineCase } from "../../engine/case.ts";
import type { CaseContext } from "../../engine/context.ts";
import { type RawResult, requestHead } from "../../wire/raw.ts";

const connections = 50;
const healthBudget_ms = 2000;
/** Servers that look for slow clients do so within seconds. */
const patience_ms = 25_000;
const drops = 60;

export const slowClient = defineCase({
  id: "R09",
  slug: "rob/slow-client",
  profile: "robustness",
  level: "MUST",
  because: "security",
  rules: ["R-HEALTH-01", "R-LIMIT-02"],
  needs: [],
  holds: "While 50 connections drip, /health answers others within 2 s; the dripping ones are cut in the end",
  consequence: "A few broken clients, or one caller with bad intent, keep everybody else out.",
  fix: "Serve connections side by side, and set the server's time limit for request headers (10 s, say).",
  timing: true,
  destructive: true,
  turn: "late",
  async run(t) {
    const heads = Array.from({ length: connections / 2 }, () =>
      drip(t, "GET /health HTTP/1.1\r\nHost: x\r\nX: "),
    );
    const body = requestHead(
      t.base_url,
      "POST",
      "/control/execute",
      ["Content-Type: application/json", "Content-Length: 100000"],
      t.token,
    );
    const bodies = Array.from({ length: connections / 2 }, () => drip(t, body));
    await t.pause(500);
    const isServed = await healthAnswers(t);
    const all = heads.map(({ result }) => result);
    if (isServed) await Promise.race([Promise.all(all), sleep(patienceOf(t), undefined, { ref: false })]);
    for (const { stop } of [...heads, ...bodies]) stop();
    const results = await Promise.all(all);
    await Promise.all(bodies.map(({ result }) => result));
    if (!isServed) return;
    const kept = results.filter(({ ended }) => ended === "timeout");
    t.check(kept.length === 0, "E_SLOW_CLIENT_KEPT", {
      level: "SHOULD",
      expected: `connections whose headers never end to be closed within ${patienceOf(t) / 1000} s`,
      found: `${kept.length} of ${all.length} are still open`,
      at: kept[0]?.exchange,
    });
  },
});

/** However much a run hurries, clients have to be slow. */
function patienceOf(t: CaseContext): number {
  return Math.max(5000, t.scaled(patience_ms));
}

/** Whether others are served meanwhile. */
async function healthAnswers(t: CaseContext): Promise<boolean> {
  const budget_ms = Math.max(600, t.scaled(healthBudget_ms));
  for (let again = 0; again < 3; again++) {
    const health = await t.timed(
      budget_ms,
      "E_DEADLINE",
      (took) => ({
        expected: `GET /health to be answered within ${budget_ms} ms while ${connections} connections drip`,
        found: `${Math.round(took)} ms`,
      }),
      () => t.send({ path: "/health", token: null, fresh: true, timeout_ms: 5.5 * budget_ms }),
    );
    if (health.reply === undefined) return false;
  }
  return true;
}

/** Writes a request's beginning, then a letter now and then. */
function drip(t: CaseContext, beginning: string): { result: Promise<RawResult>; stop(): void } {
  const stopped = new AbortController();
  const each_ms = patienceOf(t) / drops;
  const letters = Array.from({ length: drops * 2 }, () => [each_ms, "x"] as const).flat();
  const result = t.raw({
    write: [beginning, ...letters],
    timeout_ms: patienceOf(t) * 4,
    signal: stopped.signal,
  });
  return { result, stop: () => stopped.abort() };
}
