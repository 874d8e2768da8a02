import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { catalogue } from "../cases/catalogue.ts";
import { isBudgeted } from "../cases/performance/figures.ts";
import { type FixtureHost, startFixtureHost } from "../target/fixture-host.ts";
import type { Sample } from "../target/sample.ts";
import { History } from "../wire/exchange.ts";
import { createWire, type Wire, type WireOptions } from "../wire/send.ts";
import { createCalibrator } from "./calibrate.ts";
import type { CaseResult, CaseStatus, ConformanceCase } from "./case.ts";
import type { Settings } from "./context.ts";
import type { Parts } from "./create-context.ts";
import { createDriver } from "./drive.ts";
import { forgive, staleEntries } from "./known-failing.ts";
import { obstacleTo } from "./obstacles.ts";
import type { Facts, RunOptions } from "./options.ts";
import { runOrder } from "./order.ts";
import { createPreparation } from "./preparation.ts";
import type { RunReport } from "./report.ts";
import { harden, interrupted, notRun, prepareCase, runRepeatedly } from "./run-case.ts";
import { HarnessFault } from "./stop.ts";
import { declaredMode, hostFixtures, readOperations, uriOf, withModes } from "./target-facts.ts";
import { countStatuses, judgeProfiles, judgeRun } from "./verdict.ts";

/** The version of the suite, in every report. */
export const suiteVersion = "0.1.0";

const defaults: Settings = {
  seed: 0,
  timeout_ms: 30_000,
  poll_interval_ms: 100,
  time_scale: 1,
  retention_ms: 10_000,
  fuzz_runs: 300,
  budget: {},
  execute_budget_ms: 28_000,
};

/** Runs the cases against a service. Rejects only with {@link HarnessFault}; an unreachable target is a report too. */
export async function runSuite(options: RunOptions): Promise<RunReport> {
  const settings: Settings = { ...defaults, seed: randomBytes(4).readUInt32BE(), ...options.settings };
  const started_at = new Date().toISOString();
  const emit = options.onEvent ?? (() => {});
  const history = new History((exchange) => emit({ type: "exchange", exchange }));
  const cases = (options.cases ?? catalogue).map((one) => withBudget(one, settings.budget));
  const caseId = new AsyncLocalStorage<string>();
  const wireOptions: WireOptions = {
    base_url: options.url,
    token: options.token,
    timeout_ms: settings.timeout_ms,
    ...(options.headers && { headers: options.headers }),
    caseId: () => caseId.getStore() ?? "",
    admit: limitRequests(options.max_requests ?? 20_000),
  };
  const wire = createWire(history, wireOptions);
  const isLoopback = isOnLoopback(options.url);
  const fixture_host = options.fixture_host ?? (isLoopback ? "127.0.0.1" : undefined);
  const fixtures =
    fixture_host === undefined
      ? undefined
      : await startFixtureHost({ host: fixture_host, port: options.fixture_port });
  const nextId = idMaker(settings.seed);
  const inputsOf = (sample: Sample) =>
    sample.inputs.map((input) => ({ ...input, uri: uriOf(input.uri, fixtures) }));
  const driver = createDriver({ wire, poll_interval_ms: settings.poll_interval_ms, nextId, inputsOf });
  const payloads = { wire, origins: options.origins ?? {}, share: options.share };
  const calibrator = createCalibrator(driver, payloads);

  emit({
    type: "run.start",
    target: options.url,
    seed: settings.seed,
    suite_version: suiteVersion,
    planned: cases.filter((one) => options.skip?.(one) === undefined).map(({ id }) => id),
  });
  const results: CaseResult[] = [];
  const isLost = watchLoss(wire);
  try {
    await hostFixtures(options, fixtures);
    const operations = await readOperations(wire, settings);
    const samples = await withModes(options.samples ?? [], driver, operations);
    const facts: Facts = { options, settings, fixtures, operations, samples, isLoopback };
    const parts: Parts = { wire, wireOptions, history, driver, calibrator, payloads, nextId, beside };
    const hasRun = (one: ConformanceCase) => results.some((result) => result.case === one);
    const preparation = createPreparation(() =>
      cases.flatMap((one) => {
        if (one.prepare === undefined || hasRun(one) || reasonNotToRun(one) || obstacleTo(one, facts))
          return [];
        return [caseId.run(one.id, () => prepareCase(one, facts, parts))];
      }),
    );
    for (const one of runOrder(cases)) {
      const reason = reasonNotToRun(one);
      if (reason !== undefined) {
        results.push(notRun(one, "skipped", reason));
        continue;
      }
      emit({ type: "case.start", case: one });
      const lost = await isLost();
      // What would not have run anyway keeps its own reason.
      const outcome =
        lost && obstacleTo(one, facts) === undefined
          ? notRun(one, "untestable", "the service gives no reply any more: see the failures before")
          : await caseId.run(one.id, () => runRepeatedly(one, facts, parts));
      const result = forgive(options.strict ? harden(outcome) : outcome, options.known_failing ?? []);
      results.push(result);
      emit({ type: "case.end", result });
    }

    function beside<T>(wait: () => Promise<T>): Promise<T> {
      return preparation.beside(wait);
    }

    function reasonNotToRun(one: ConformanceCase): string | undefined {
      const reason = options.skip?.(one) ?? (options.signal?.aborted ? interrupted : undefined);
      if (reason !== undefined) return reason;
      const isOver = options.fail_fast && results.some(({ status }) => status === "fail");
      return isOver ? "another case failed first" : undefined;
    }
  } finally {
    wire.close();
    await fixtures?.close();
  }
  results.sort((a, b) => cases.indexOf(a.case) - cases.indexOf(b.case));
  const profileResults = judgeProfiles(results, options.claims ?? []);
  const report: RunReport = {
    target: options.url,
    suite_version: suiteVersion,
    seed: settings.seed,
    started_at,
    duration_ms: history.now(),
    interrupted: options.signal?.aborted ?? false,
    verdict: judgeRun(profileResults),
    profiles: profileResults,
    results,
    counts: countStatuses(results),
    stale: staleEntries(options.known_failing ?? [], results),
    exchanges: history.exchanges,
  };
  emit({ type: "run.end", report });
  return report;
}

/** After so many calls without a reply in time it is asked whether anybody is still there, so often in all. */
const mostSilent = 8;
const lastChances = 3;

/** Tells whether a service has gone silent for good, so that a run against it ends: case by case it would wait for hours. */
function watchLoss(wire: Wire): () => Promise<boolean> {
  let chances = lastChances;
  return async () => {
    if (wire.silentCalls() < mostSilent) {
      chances = lastChances;
      return false;
    }
    if (chances === 0) return true;
    chances--;
    const { reply } = await wire.send({ path: "/health", token: null, fresh: true });
    return reply === undefined;
  };
}

/** A case that only tells figures is a MUST where one of them has a budget. */
function withBudget(one: ConformanceCase, budget: Settings["budget"]): ConformanceCase {
  return isBudgeted(one.id, budget) ? { ...one, level: "MUST" } : one;
}

/** What would become of a case, and why. */
export interface PlannedCase {
  case: ConformanceCase;
  /** Undefined: it would run. */
  status: CaseStatus | undefined;
  reason: string | undefined;
}

/** What a run with these options would do. Asks the service what it says of itself, and nothing else. */
export async function planSuite(options: RunOptions): Promise<PlannedCase[]> {
  const settings: Settings = { ...defaults, ...options.settings };
  const { timeout_ms } = settings;
  const headers = options.headers ?? {};
  const wire = createWire(new History(), {
    base_url: options.url,
    token: options.token,
    timeout_ms,
    headers,
    caseId: () => "",
  });
  const operations = await readOperations(wire, settings).finally(() => wire.close());
  const isLoopback = isOnLoopback(options.url);
  const samples = (options.samples ?? []).flatMap((sample): Sample[] => {
    const mode = sample.mode === "either" ? declaredMode(sample, operations) : sample.mode;
    // What is only found out by calling it may be either.
    if (mode !== undefined) return [{ ...sample, mode }];
    return [
      { ...sample, mode: "sequential" },
      { ...sample, mode: "concurrent" },
    ];
  });
  const fixtures = (options.fixture_host ?? isLoopback) ? ({} as FixtureHost) : undefined;
  const facts: Facts = { options, settings, fixtures, operations, samples, isLoopback };
  return (options.cases ?? catalogue).map((one) => {
    const reason = options.skip?.(one);
    if (reason !== undefined) return { case: one, status: "skipped", reason };
    const obstacle = obstacleTo(one, facts);
    return { case: one, status: obstacle?.status, reason: obstacle?.reason };
  });
}

/** Whether a URL is one of this machine. */
function isOnLoopback(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}

function idMaker(seed: number): (prefix: string) => string {
  let serial = 0;
  const run = `${seed.toString(36)}${Date.now().toString(36)}`;
  return (prefix) => `${prefix}-${run}-${++serial}`;
}

function limitRequests(most: number): () => void {
  let count = 0;
  return () => {
    if (++count > most)
      throw new HarnessFault(`Expected at most ${most} requests; allow more with --max-requests`);
  };
}
