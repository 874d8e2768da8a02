import type { CaseResult, CaseStatus, ConformanceCase } from "./case.ts";
import { Findings } from "./context.ts";
import { createContext, type Parts } from "./create-context.ts";
import { obstacleTo } from "./obstacles.ts";
import type { Facts } from "./options.ts";
import { CaseStop, HarnessFault, Interrupted, NotApplicable, Untestable } from "./stop.ts";

/** Why a case did not run, or not to its end. */
export const interrupted = "the run was interrupted";

/** From the worst to the best. */
const severity: readonly CaseStatus[] = [
  "fail",
  "warn",
  "inconclusive",
  "untestable",
  "skipped",
  "info",
  "pass",
  "not-applicable",
];

/** Runs a case as often as is wanted; what it came to at its worst counts. */
export async function runRepeatedly(one: ConformanceCase, facts: Facts, parts: Parts): Promise<CaseResult> {
  const results: CaseResult[] = [];
  const times = facts.options.repeat ?? 1;
  do results.push(await runCase(one, facts, parts));
  while (results.length < times && results.at(-1)?.checks !== 0 && !facts.options.signal?.aborted);
  const worst = results.toSorted((a, b) => severity.indexOf(a.status) - severity.indexOf(b.status))[0];
  const [first = worst as CaseResult] = results;
  if (worst === undefined || results.length === 1) return first;
  const same = results.filter(({ status }) => status === worst.status).length;
  const reason = worst.reason ?? `${worst.status} in ${same} of ${results.length} runs`;
  const duration_ms = results.reduce((sum, result) => sum + result.duration_ms, 0);
  return { ...worst, reason, duration_ms };
}

/** For those to whom a SHOULD is a MUST. */
export function harden(result: CaseResult): CaseResult {
  const fails = (status: string) => status === "warn";
  const findings = result.findings.map((finding) =>
    fails(finding.status) ? { ...finding, status: "fail" as const } : finding,
  );
  return { ...result, findings, status: fails(result.status) ? "fail" : result.status };
}

/** Rejects when the run is interrupted, so that a case that waits does not hold it up. */
function untilInterrupted(signal: AbortSignal | undefined): { happens: Promise<never>; forget(): void } {
  let stop = () => {};
  const happens = new Promise<never>((_, reject) => {
    stop = () => reject(new Interrupted(interrupted));
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
  return { happens, forget: () => signal?.removeEventListener("abort", stop) };
}

/** Begins what a case will look at. Its checks are made when it runs. */
export async function prepareCase(one: ConformanceCase, facts: Facts, parts: Parts): Promise<void> {
  await one.prepare?.(createContext(one, facts, parts, new Findings(one.level)));
}

async function runCase(one: ConformanceCase, facts: Facts, parts: Parts): Promise<CaseResult> {
  const obstacle = obstacleTo(one, facts);
  if (obstacle !== undefined) return notRun(one, obstacle.status, obstacle.reason);
  const began = performance.now();
  const findings = new Findings(one.level);
  const end = (status: CaseStatus, reason?: string): CaseResult => ({
    case: one,
    status,
    reason,
    checks: findings.checks,
    findings: findings.all,
    duration_ms: performance.now() - began,
  });
  const interruption = untilInterrupted(facts.options.signal);
  const running = one.run(createContext(one, facts, parts, findings));
  // One that is abandoned may break on the connections that are closed behind it.
  running.catch(() => {});
  try {
    await Promise.race([running, interruption.happens]);
  } catch (error) {
    if (error instanceof HarnessFault) throw error;
    if (error instanceof Interrupted && findings.all.length === 0) return end("skipped", error.message);
    if (findings.all.some(({ status }) => status === "fail")) return end("fail");
    if (error instanceof Untestable) return end("untestable", error.message);
    if (error instanceof NotApplicable) return end("not-applicable", error.message);
    const isStop = error instanceof CaseStop || error instanceof Interrupted;
    if (!isStop) throw new HarnessFault(`case ${one.id} broke`, { cause: error });
  } finally {
    interruption.forget();
  }
  const rest = findings.notes.join("; ") || undefined;
  const statuses = findings.all.map(({ status }) => status);
  for (const status of ["fail", "warn", "inconclusive", "info"] as const) {
    if (statuses.includes(status)) return end(status, rest);
  }
  if (findings.checks === 0) return end("untestable", "nothing of it could be checked on this service");
  return end("pass", rest);
}

/** A case that did not run, and why. */
export function notRun(one: ConformanceCase, status: CaseStatus, reason: string): CaseResult {
  return { case: one, status, reason, checks: 0, findings: [], duration_ms: 0 };
}
