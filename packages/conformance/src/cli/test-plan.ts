import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { catalogue } from "../cases/catalogue.ts";
import { type ConformanceCase, type Profile, profiles } from "../engine/case.ts";
import type { Settings } from "../engine/context.ts";
import type { RunOptions } from "../engine/options.ts";
import type { Secret } from "../report/secrets.ts";
import { type Manifest, parseManifest, readManifest, samplesOf } from "../target/manifest.ts";
import type { Sample } from "../target/sample.ts";
import type { SpawnOptions } from "../target/spawn.ts";
import { chooseCases } from "./choose-cases.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./errors.ts";
import { type Given, withEnvironment } from "./flags.ts";
import { readKnownFailing } from "./known-failing.ts";
import { readInputs } from "./read-inputs.ts";
import { type ReportChoice, readReports } from "./read-reports.ts";
import { readToken } from "./read-token.ts";
import { toBudget, toDuration, toInteger, toPair, toPositive } from "./read-values.ts";
import { testFlags } from "./test-flags.ts";

/** All that a run of `test` was told, from flags, environment and manifest, in this order. */
export interface TestPlan {
  run: RunOptions;
  spawn: Omit<SpawnOptions, "onOutput"> | undefined;
  secrets: readonly Secret[];
  reports: ReportChoice;
  out: string | undefined;
  evidence: boolean;
  quiet: boolean;
  /** Undefined: on a terminal. */
  color: boolean | undefined;
  dry_run: boolean;
  require_proof: boolean;
}

/** The file that is read when none is named. */
const defaultManifest = "conformance.yaml";
/** Names of headers and variables whose values no report shows. */
const secretName = /auth|cookie|key|token|secret|passw|credential/i;

/** Reads everything that `test` can be told. @throws UsageError, or ManifestError */
export async function readTestPlan(
  flags: Given,
  positionals: readonly string[],
  context: CommandContext,
): Promise<TestPlan> {
  const given = withEnvironment(flags, testFlags, context.env);
  const one = (name: string) => given.get(name)?.[0];
  const list = (name: string) =>
    given
      .get(name)
      ?.flatMap((text) => text.split(","))
      .filter(Boolean);
  const within = (path: string) => resolve(context.folder, path);
  const manifest = await readConfig(one("config"), context);
  const spawnCommand = one("spawn");
  const url = await readUrl(positionals, one("url"), spawnCommand, manifest);

  const secrets: Secret[] = [];
  const token = await tokenOf(flags, one("token"), manifest, context);
  if (token !== undefined) secrets.push({ value: token, variable: "SERVICE_API_KEY" });
  const headers = Object.fromEntries(
    (given.get("header") ?? []).map((text) => toPair("header", text, /[=:]/)),
  );
  const environment = Object.fromEntries((given.get("env") ?? []).map((text) => toPair("env", text)));
  for (const [name, value] of [...Object.entries(headers), ...Object.entries(environment)]) {
    if (secretName.test(name)) secrets.push({ value, variable: name.toUpperCase().replace(/\W/g, "_") });
  }

  const { data } = manifest;
  const share = one("share") ?? (data.share === undefined ? undefined : resolve(manifest.folder, data.share));
  const fixturePort = one("fixture-port");
  const run: RunOptions = {
    url,
    token,
    headers,
    samples: [...samplesOf(manifest, () => "either"), ...(await oneOffSample(given, context))],
    claims: readClaims(list("claim"), manifest),
    ...choiceOf(list("case"), list("skip")),
    settings: settingsOf(one, list("budget"), manifest),
    allow_destructive: given.has("allow-destructive") ? true : undefined,
    fail_fast: given.has("fail-fast"),
    strict: given.has("strict"),
    repeat: toInteger("repeat", one("repeat") ?? "1", 1),
    origins: {
      ...data["origin-map"],
      ...Object.fromEntries((given.get("origin-map") ?? []).map((text) => toPair("origin-map", text))),
    },
    share: share === undefined ? undefined : within(share),
    fixture_host: one("fixture-host") ?? data["fixture-host"],
    fixture_port:
      fixturePort === undefined ? data["fixture-port"] : toInteger("fixture-port", fixturePort, 0, 65_535),
    readFixture: (name) => readFile(resolve(manifest.folder, name)),
    known_failing: [...manifest["known-failing"], ...(await readKnownFailing(one("known-failing"), context))],
    max_requests: toInteger("max-requests", one("max-requests") ?? "20000", 1),
    signal: context.signal,
  };
  await fixturesExist(run);
  const out = one("out");
  return {
    run,
    spawn:
      spawnCommand === undefined
        ? undefined
        : {
            command: spawnCommand,
            cwd: within(one("cwd") ?? "."),
            env: { PORT: new URL(url).port, ...environment },
            health_url: `${url.replace(/\/+$/, "")}/health`,
            ready_timeout_ms: toDuration("ready-timeout", one("ready-timeout") ?? "30s"),
            stop_signal: toSignal(one("stop-signal") ?? "TERM"),
          },
    secrets,
    reports: readReports(given.get("report")),
    out: out === undefined ? undefined : within(out),
    evidence: !given.has("no-evidence"),
    quiet: given.has("quiet"),
    color: toColor(one("color") ?? "auto", context),
    dry_run: given.has("dry-run"),
    require_proof: given.has("require-proof"),
  };
}

async function readConfig(file: string | undefined, { folder }: CommandContext) {
  if (file !== undefined) return readManifest(resolve(folder, file));
  const usual = resolve(folder, defaultManifest);
  return existsSync(usual) ? readManifest(usual) : { ...parseManifest(""), folder };
}

async function readUrl(
  positionals: readonly string[],
  flag: string | undefined,
  spawnCommand: string | undefined,
  manifest: Manifest,
): Promise<string> {
  if (positionals.length > 1) {
    throw new UsageError(
      `Expected one URL, found ${positionals.join(" ")}; see aieffect-conformance test --help`,
    );
  }
  if (positionals[0] !== undefined && flag !== undefined) {
    throw new UsageError("Expected one URL, found one with --url and one without");
  }
  const given = positionals[0] ?? flag ?? manifest.target.url;
  if (given === undefined && spawnCommand !== undefined) return `http://127.0.0.1:${await freePort()}`;
  if (given === undefined) {
    throw new UsageError(
      "Expected the URL of a service, as in: aieffect-conformance test http://localhost:8080; found none, nor one in conformance.yaml",
    );
  }
  return checkUrl(given);
}

/** A base URL, without a slash at its end. @throws UsageError */
export function checkUrl(given: string): string {
  // localhost:8080 is what people type.
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`Expected the URL of a service, as in http://localhost:8080, found "${given}"`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(
      "Expected a URL without a user and a password; give the service's key with --token env:NAME",
    );
  }
  if (url.search !== "" || url.hash !== "") {
    throw new UsageError(`Expected a URL without ? and #, found "${given}"`);
  }
  return url.href.replace(/\/+$/, "");
}

async function tokenOf(
  flags: Given,
  given: string | undefined,
  manifest: Manifest & { folder: string },
  context: CommandContext,
): Promise<string | undefined> {
  if (given !== undefined) {
    const from = flags.has("token") ? "flag" : "environment";
    return readToken(given, { from, folder: context.folder }, context);
  }
  const { token } = manifest.target;
  return token === undefined
    ? undefined
    : readToken(token, { from: "manifest", folder: manifest.folder }, context);
}

async function oneOffSample(given: Given, { folder }: CommandContext): Promise<Sample[]> {
  const method = given.get("method")?.[0];
  const inputs = given.get("input") ?? [];
  const params = given.get("params")?.[0];
  if (method === undefined) {
    if (inputs.length === 0 && params === undefined) return [];
    throw new UsageError("Expected --method with --input and --params, found no --method");
  }
  return [
    {
      method,
      name: "a",
      mode: "either",
      sink: false,
      inputs: await readInputs(inputs, folder),
      parameters: params === undefined ? undefined : readParameters(params),
      expect: "complete",
      at_least_ms: 0,
      max_duration_ms: 60_000,
      compare: {},
    },
  ];
}

function readParameters(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(
      `Expected --params to be a JSON object, found ${text}. ${(cause as Error).message}`,
      { cause },
    );
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new UsageError(`Expected --params to be a JSON object, found ${text}`);
  }
  return value as Record<string, unknown>;
}

function readClaims(given: readonly string[] | undefined, manifest: Manifest): Profile[] {
  const claims = given ?? manifest.claims ?? [];
  const unknown = claims.find((claim) => !(profiles as readonly string[]).includes(claim));
  if (unknown === undefined) return claims as Profile[];
  throw new UsageError(`Expected --claim to name profiles out of ${profiles.join(", ")}; found "${unknown}"`);
}

function choiceOf(
  only: readonly string[] | undefined,
  but: readonly string[] | undefined,
): Pick<RunOptions, "skip"> {
  const idsOf = (cases: Iterable<ConformanceCase>) => new Set([...cases].map(({ id }) => id));
  const chosen = idsOf(only === undefined ? catalogue : chooseCases("case", only, catalogue));
  const skipped = idsOf(chooseCases("skip", but ?? [], catalogue));
  return {
    skip(one: ConformanceCase) {
      if (skipped.has(one.id)) return "left out with --skip";
      return chosen.has(one.id) ? undefined : "not chosen with --case";
    },
  };
}

function settingsOf(
  one: (name: string) => string | undefined,
  budget: readonly string[] | undefined,
  manifest: Manifest,
): Partial<Settings> {
  const settings: Partial<Settings> = {};
  const set = <K extends keyof Settings>(
    key: K,
    flag: string,
    read: (name: string, text: string) => Settings[K],
  ) => {
    const text = one(flag);
    if (text !== undefined) settings[key] = read(flag, text);
  };
  set("timeout_ms", "timeout", toDuration);
  set("poll_interval_ms", "poll-interval", toDuration);
  set("retention_ms", "retention", toDuration);
  set("time_scale", "time-scale", toPositive);
  set("seed", "seed", (name, text) => toInteger(name, text, 0, 2 ** 32 - 1));
  set("fuzz_runs", "fuzz-runs", toInteger);
  const budgets = [
    ...Object.entries(manifest.budget),
    ...(budget ?? []).map((text) => toPair("budget", text)),
  ];
  settings.budget = Object.fromEntries(budgets.map(([name, value]) => [name, toBudget(name, value)]));
  return settings;
}

function toSignal(name: string): NodeJS.Signals {
  const signal = name.toUpperCase().replace(/^(SIG)?/, "SIG");
  if (["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2"].includes(signal)) {
    return signal as NodeJS.Signals;
  }
  throw new UsageError(`Expected --stop-signal to be a signal, as in TERM or INT, found "${name}"`);
}

function toColor(when: string, { env }: CommandContext): boolean | undefined {
  if (when === "always") return true;
  if (when === "never") return false;
  if (when !== "auto") throw new UsageError(`Expected --color auto, always or never, found "${when}"`);
  return env.NO_COLOR ? false : undefined;
}

/** Told before anything is sent, not when the sample is. */
async function fixturesExist({ samples = [], readFixture }: RunOptions): Promise<void> {
  for (const { uri } of samples.flatMap(({ inputs }) => inputs)) {
    if (typeof uri === "string" || !("$fixture" in uri)) continue;
    try {
      await readFixture?.(uri.$fixture);
    } catch (cause) {
      throw new UsageError(
        `Expected the fixture ${uri.$fixture} beside the manifest, found ${(cause as Error).message}`,
        { cause },
      );
    }
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}
