import { randomBytes } from "node:crypto";
import { catalogue } from "../cases/catalogue.ts";
import { isBudgeted } from "../cases/performance/figures.ts";
import { type FixtureHost, startFixtureHost } from "../target/fixture-host.ts";
import type { Mode, Sample } from "../target/sample.ts";
import type { SpawnedTarget } from "../target/spawn.ts";
import { History, type SilenceKind } from "../wire/exchange.ts";
import { sendRaw } from "../wire/raw.ts";
import { createWire, type WireOptions } from "../wire/send.ts";
import { type Calibrator, createCalibrator } from "./calibrate.ts";
import type { CaseResult, CaseStatus, ConformanceCase, Need, Profile } from "./case.ts";
import { type CaseContext, Findings, type OperationsInfo, type Settings, stops } from "./context.ts";
import { createDriver, type Driver, readAs } from "./drive.ts";
import type { RunEvent } from "./events.ts";
import { fetchPayload, fingerprint, readPayload } from "./payload.ts";
import type { RunReport } from "./report.ts";
import { CaseStop, HarnessFault, Interrupted, NotApplicable, Untestable } from "./stop.ts";
import { createTimed } from "./timed.ts";
import { countStatuses, judgeProfiles, judgeRun } from "./verdict.ts";

/** A failure that is known; it does not fail the run, but fails it once it is gone. */
export interface KnownFailing {
  id: string;
  reason: string;
  /** ISO date; from the day after on it counts no more. */
  until?: string | undefined;
}

/** What a run judges, and how. Everything but the URL has a default. */
export interface RunOptions {
  /** Base URL of the service, as in `http://127.0.0.1:8080`. */
  url: string;
  token?: string | undefined;
  samples?: readonly Sample[];
  /** What the service says it is; a gap is then NOT PROVEN instead of silence. @default [] */
  claims?: readonly Profile[];
  /** Which cases the report is about. @default all of the catalogue */
  cases?: readonly ConformanceCase[];
  /** Why one of them is not to be run; it is in the report all the same. @default all are run */
  skip?: (one: ConformanceCase) => string | undefined;
  /** Run every case so often; the worst result counts, and says how often it came. @default 1 */
  repeat?: number;
  /** What only warns otherwise, fails. @default false */
  strict?: boolean;
  settings?: Partial<Settings>;
  /** Run what can harm. @default only on loopback */
  allow_destructive?: boolean | undefined;
  /** Stop at the first case that fails. @default false */
  fail_fast?: boolean;
  /** The service's process, where the harness started it. */
  spawned?: SpawnedTarget | undefined;
  /** Origins under which peers reach the service, and those under which the harness does. */
  origins?: Readonly<Record<string, string>>;
  /** The folder here that the service sees as its own. */
  share?: string | undefined;
  /** Under which name the service reaches the harness. @default 127.0.0.1 for a service on loopback, else none */
  fixture_host?: string | undefined;
  fixture_port?: number | undefined;
  /** Bytes of a hosted file by name, for `!fixture`. */
  readFixture?: ((name: string) => Promise<Buffer>) | undefined;
  known_failing?: readonly KnownFailing[];
  /** Sent with every call. */
  headers?: Readonly<Record<string, string>>;
  /** @default 20,000 */
  max_requests?: number;
  signal?: AbortSignal | undefined;
  onEvent?: (event: RunEvent) => void;
}

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
  let caseId = "";
  const wireOptions: WireOptions = {
    base_url: options.url,
    token: options.token,
    timeout_ms: settings.timeout_ms,
    ...(options.headers && { headers: options.headers }),
    caseId: () => caseId,
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
  try {
    await hostFixtures(options, fixtures);
    const operations = await readOperations(wire);
    const samples = await withModes(options.samples ?? [], driver, operations);
    const facts: Facts = { options, settings, fixtures, operations, samples, isLoopback };
    for (const one of cases) {
      const missing = options.skip?.(one) ?? (options.signal?.aborted ? interrupted : undefined);
      const stopped = options.fail_fast && results.some(({ status }) => status === "fail");
      if (missing !== undefined || stopped) {
        results.push(notRun(one, "skipped", missing ?? "another case failed first"));
        continue;
      }
      caseId = one.id;
      emit({ type: "case.start", case: one });
      const parts = { wire, wireOptions, history, driver, calibrator, payloads, nextId };
      const outcome = await runRepeatedly(one, facts, parts);
      const result = forgive(options.strict ? harden(outcome) : outcome, options.known_failing ?? []);
      caseId = "";
      results.push(result);
      emit({ type: "case.end", result });
    }
  } finally {
    wire.close();
    await fixtures?.close();
  }
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
  const operations = await readOperations(wire).finally(() => wire.close());
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
  return /^(localhost$|127\.|\[?::1)/.test(new URL(url).hostname);
}

/** What decides whether a case can run. */
interface Facts {
  options: RunOptions;
  settings: Settings;
  fixtures: FixtureHost | undefined;
  operations: OperationsInfo | undefined;
  samples: readonly Sample[];
  isLoopback: boolean;
}

interface Parts {
  wire: ReturnType<typeof createWire>;
  wireOptions: WireOptions;
  history: History;
  driver: Driver;
  calibrator: Calibrator;
  payloads: Parameters<typeof readPayload>[1];
  nextId(prefix: string): string;
}

const interrupted = "the run was interrupted";

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
async function runRepeatedly(one: ConformanceCase, facts: Facts, parts: Parts): Promise<CaseResult> {
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
function harden(result: CaseResult): CaseResult {
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

function createContext(one: ConformanceCase, facts: Facts, parts: Parts, findings: Findings): CaseContext {
  const { wire, wireOptions, history, driver, calibrator, payloads, nextId } = parts;
  const { samples, settings, fixtures } = facts;
  const usable = samplesFor(one.profile, samples);
  const missing = (need: Need): never => stops.untestable(whatToAdd(need, one.profile));
  const context: CaseContext = {
    ...driver,
    base_url: wire.base_url,
    token: wire.token,
    settings,
    history,
    spawned: facts.options.spawned,
    get fixtures() {
      return fixtures ?? missing("fixtures");
    },
    operations: facts.operations,
    all_samples: samples,
    origins: payloads.origins,
    share: payloads.share,
    send: (call) => wire.send(call),
    raw: (call) => sendRaw(history, wireOptions, call),
    requestOf: driver.request,
    inputsOf: (sample) => driver.request(sample).inputs as Record<string, unknown>[],
    id: (prefix = "id") => nextId(prefix),
    payload: (reference) => readPayload(reference, payloads),
    fetch: (uri, call) => fetchPayload(uri, payloads, call),
    async calibrated(sample) {
      const calibration = await calibrator.of(sample);
      const { fingerprint } = calibration;
      if (fingerprint === undefined) {
        return stops.untestable(`sample "${sample.name}" of ${sample.method}: ${calibration.problem}`);
      }
      return { ...calibration, fingerprint };
    },
    outputOf: calibrator.outputOf,
    fingerprintOf: (bytes, format, sample) => fingerprint(bytes, format, sample.compare),
    sample: () => firstOf(usable, completes) ?? missing("sample"),
    samples: () => onePerMethod(usable.filter(completes)),
    pair: () => pairOf(usable) ?? missing("pair"),
    failing: () => firstOf(usable, fails) ?? missing("failing"),
    slow: () => firstOf(samples, isSlowFor(one.profile)) ?? missing("slow"),
    lasting: () => firstOf(samples, isLasting),
    check: (holds, code, say) => findings.check(holds, code, say),
    require: (holds, code, say) => findings.require(holds, code, say),
    replied(exchange) {
      const { reply, silence } = exchange;
      if (reply !== undefined) return reply;
      findings.check(false, codeOfSilence(silence?.kind), {
        expected: `a reply to ${exchange.request.method} ${exchange.request.path.slice(0, 200)}`,
        found: silence?.message ?? "nothing",
        at: exchange,
      });
      throw new CaseStop("no reply");
    },
    handleOf(execute) {
      const reply = context.replied(execute);
      const handle = readAs(execute, "execute")?.task_id;
      if (handle) return handle;
      findings.check(false, "E_TASK_ID_MISSING", {
        expected: "running, with a task_id",
        found: reply.body.toString().slice(0, 200),
        at: execute,
      });
      throw new CaseStop("no handle");
    },
    tell: (code, say) => findings.add("info", code, say),
    note: (text) => void findings.notes.push(text),
    inconclusive: (code, say) => findings.add("inconclusive", code, say),
    ...stops,
    timed: createTimed(findings),
    scaled: (ms) => ms * settings.time_scale,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms * settings.time_scale)),
  };
  // Spread would have read it.
  return context;
}

function codeOfSilence(kind: SilenceKind | undefined) {
  if (kind === "timeout") return "E_DEADLINE";
  return kind === "malformed" ? "E_MALFORMED_REPLY" : "E_NO_REPLY";
}

const completes = (sample: Sample) => sample.expect === "complete";
const fails = (sample: Sample) => sample.expect === "failed";
const isSlowFor = (profile: Profile) => (sample: Sample) =>
  (sample.mode === "sequential") === (profile === "sequential") &&
  completes(sample) &&
  sample.at_least_ms >= 2000;
const isLasting = (sample: Sample) =>
  sample.mode !== "sequential" && completes(sample) && sample.at_least_ms >= 30_000;

/** Quick ones first: slow ones are for cases that ask for them. */
function firstOf(samples: readonly Sample[], test: (sample: Sample) => boolean): Sample | undefined {
  return samples.filter(test).toSorted((one, other) => one.at_least_ms - other.at_least_ms)[0];
}

function onePerMethod(samples: readonly Sample[]): Sample[] {
  const methods = new Set(samples.map(({ method }) => method));
  return [...methods].flatMap((name) => firstOf(samples, ({ method }) => method === name) ?? []);
}

function pairOf(samples: readonly Sample[]): readonly [Sample, Sample] | undefined {
  for (const a of samples.filter(({ name, expect }) => name === "a" && expect === "complete")) {
    const b = samples.find(
      ({ method, name, expect }) => method === a.method && name === "b" && expect === "complete",
    );
    if (b !== undefined) return [a, b];
  }
  return undefined;
}

function samplesFor(profile: Profile, samples: readonly Sample[]): readonly Sample[] {
  if (profile === "sequential") return samples.filter(({ mode }) => mode === "sequential");
  if (profile === "concurrent") return samples.filter(({ mode }) => mode === "concurrent");
  return samples;
}

/** Why a case cannot run, or need not. */
function obstacleTo(one: ConformanceCase, facts: Facts): { status: CaseStatus; reason: string } | undefined {
  const { options, samples, operations, fixtures } = facts;
  const untestable = (reason: string) => ({ status: "untestable" as const, reason });
  const notApplicable = (reason: string) => ({ status: "not-applicable" as const, reason });
  const isClaimed = options.claims?.includes(one.profile) ?? false;
  if (one.profile === "auth" && options.token === undefined && !isClaimed) {
    return notApplicable(
      "no token was given; with one (--token env:NAME) the service's authentication is tested",
    );
  }
  for (const style of ["sequential", "concurrent"] as const) {
    if (one.profile !== style || isClaimed || samplesFor(style, samples).length > 0) continue;
    if (samples.length === 0) return untestable(whatToAdd("sample", one.profile));
    return notApplicable(`no method of the manifest is ${style}`);
  }
  if (one.extension !== undefined && !(operations?.extensions.includes(one.extension) ?? false)) {
    return notApplicable(`the service does not declare the extension "${one.extension}"`);
  }
  if (one.destructive && !(options.allow_destructive ?? facts.isLoopback)) {
    return untestable("it can harm a service that others use; allow it with --allow-destructive");
  }
  const usable = samplesFor(one.profile, samples);
  const has: Record<Need, boolean> = {
    sample: firstOf(usable, completes) !== undefined,
    pair: pairOf(usable) !== undefined,
    failing: firstOf(usable, fails) !== undefined,
    slow: firstOf(samples, isSlowFor(one.profile)) !== undefined,
    fixtures: fixtures !== undefined,
    token: options.token !== undefined,
    spawn: options.spawned !== undefined,
  };
  // A service without background work has none that could be slow.
  if (
    one.needs.includes("slow") &&
    one.profile !== "sequential" &&
    !has.slow &&
    samples.length > 0 &&
    samples.every(({ mode }) => mode === "sequential")
  ) {
    return notApplicable("no method of the manifest is concurrent");
  }
  const missing = one.needs.find((need) => !has[need]);
  if (missing === undefined) return undefined;
  const method = methodFor(one, usable, samples);
  // What only the harness's own process can do is offered, not demanded.
  return missing === "spawn"
    ? notApplicable(whatToAdd(missing, one.profile, method))
    : untestable(whatToAdd(missing, one.profile, method));
}

/** The method that a missing sample would best be of, as far as the manifest tells; background work is what may be slow. */
function methodFor(
  { needs }: ConformanceCase,
  usable: readonly Sample[],
  samples: readonly Sample[],
): string | undefined {
  const concurrent = needs.includes("slow") ? samplesFor("concurrent", usable)[0] : undefined;
  return (concurrent ?? usable[0] ?? samples[0])?.method;
}

/** The YAML, or the flag, that makes a case testable. */
function whatToAdd(need: Need, profile: Profile, method = "YourMethod"): string {
  const mode = profile === "sequential" || profile === "concurrent" ? `, mode: ${profile}` : "";
  const yaml = (samples: string) =>
    `add to conformance.yaml: methods: {${method}: {${samples}${mode}}} (or write one with: aieffect-conformance init <url>)`;
  switch (need) {
    case "sample":
      return `${yaml("samples: {a: {inputs: [{protocol: inline, uri: !json {x: 1}, format: json}]}}")}, or give --method, --input and --params`;
    case "pair":
      return yaml("samples: {a: {parameters: {x: 1}}, b: {parameters: {x: 2}}} with outputs that differ");
    case "failing":
      return yaml(
        'samples: {fail: {inputs: [{protocol: inline, uri: !b64 "what it cannot read", format: json}]}}',
      );
    case "slow":
      return yaml("samples: {slow: {parameters: {n: 100000}, expect-at-least: 2s}}");
    case "fixtures":
      return "say under which name the service reaches this machine: --fixture-host NAME";
    case "token":
      return "give the service's key: --token env:SERVICE_API_KEY";
    case "spawn":
      return "let the harness start the service: --spawn 'COMMAND'";
    default:
      return "";
  }
}

function notRun(one: ConformanceCase, status: CaseStatus, reason: string): CaseResult {
  return { case: one, status, reason, checks: 0, findings: [], duration_ms: 0 };
}

function forgive(result: CaseResult, known: readonly KnownFailing[]): CaseResult {
  const entry = known.find(({ id }) => id === result.case.id);
  if (result.status !== "fail" || entry === undefined || isOver(entry)) return result;
  return { ...result, status: "known-failing", reason: entry.reason };
}

function isOver({ until }: KnownFailing): boolean {
  return until !== undefined && new Date().toISOString().slice(0, 10) > until;
}

/** Entries that ran and did not fail, and those whose time is over. */
function staleEntries(known: readonly KnownFailing[], results: readonly CaseResult[]): string[] {
  return known.flatMap((entry) => {
    const status = results.find((result) => result.case.id === entry.id)?.status;
    if (status === undefined) return [`${entry.id}: there is no such case`];
    if (isOver(entry)) return [`${entry.id}: its time was over on ${entry.until}`];
    return status === "pass" || status === "warn" || status === "info"
      ? [`${entry.id}: it does not fail any more`]
      : [];
  });
}

function uriOf(uri: Sample["inputs"][number]["uri"], fixtures: FixtureHost | undefined): string {
  if (typeof uri === "string") return uri;
  if ("$json" in uri) return Buffer.from(JSON.stringify(uri.$json)).toString("base64");
  if ("$b64" in uri) return Buffer.from(uri.$b64).toString("base64");
  // Without a host the sample cannot work, and says so by failing.
  return fixtures?.urlOf(uri.$fixture) ?? "http://fixture-host.invalid/";
}

async function hostFixtures(
  { samples = [], readFixture }: RunOptions,
  fixtures: FixtureHost | undefined,
): Promise<void> {
  for (const { uri } of samples.flatMap(({ inputs }) => inputs)) {
    if (typeof uri === "string" || !("$fixture" in uri)) continue;
    const bytes = await readFixture?.(uri.$fixture);
    if (bytes !== undefined) fixtures?.add(uri.$fixture, { bytes, media_type: mediaType(uri.$fixture) });
  }
}

function mediaType(name: string): string {
  if (name.endsWith(".csv")) return "text/csv";
  return name.endsWith(".json") ? "application/json" : "application/octet-stream";
}

async function readOperations(wire: Parts["wire"]): Promise<OperationsInfo | undefined> {
  const { reply } = await wire.send({ path: "/control/operations", timeout_ms: 5000 });
  if (reply?.status !== 200) return undefined;
  try {
    const { operations, extensions } = JSON.parse(reply.body.toString());
    if (!Array.isArray(operations)) return undefined;
    const names = Array.isArray(extensions) ? extensions.filter((name) => typeof name === "string") : [];
    return { operations, extensions: names };
  } catch {
    // Another service's page under that path; X01 looks at it where the service declares itself.
    return undefined;
  }
}

/** Fills in how methods answer, where the manifest leaves it open: as the service says, else as it does. */
async function withModes(
  samples: readonly Sample[],
  driver: Driver,
  operations: OperationsInfo | undefined,
): Promise<Sample[]> {
  const modes = new Map<string, Mode>();
  for (const sample of samples) {
    if (sample.mode !== "either" || modes.has(sample.method)) continue;
    const declared = declaredMode(sample, operations);
    if (declared !== undefined) modes.set(sample.method, declared);
    else if (sample.expect === "complete") {
      const seen = readAs(await driver.execute(sample), "execute")?.status;
      if (seen !== undefined) modes.set(sample.method, seen === "running" ? "concurrent" : "sequential");
    }
  }
  return samples.map((sample) => ({ ...sample, mode: modes.get(sample.method) ?? sample.mode }));
}

function declaredMode({ method }: Sample, operations: OperationsInfo | undefined): Mode | undefined {
  const style = operations?.operations.find(({ name }) => name === method)?.style;
  return style === "sequential" || style === "concurrent" ? style : undefined;
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
