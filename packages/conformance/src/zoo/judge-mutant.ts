import { catalogue } from "../cases/catalogue.ts";
import type { CaseResult, ConformanceCase } from "../engine/case.ts";
import type { Settings } from "../engine/context.ts";
import { runSuite } from "../engine/run.ts";
import type { Sample } from "../target/sample.ts";
import { pristineSamples } from "./manifest.ts";
import type { Mutant } from "./mutant.ts";
import { type PristineOptions, startPristine } from "./pristine.ts";
import { spawnPristine } from "./run-spawned.ts";

/** How fast the zoo lives: its tasks, and what the cases wait for, take so much of their real time. */
export const zooScale = 0.1;

/** Settings under which zoo services are judged. */
export const zooSettings: Partial<Settings> = {
  seed: 1,
  poll_interval_ms: 20,
  time_scale: zooScale,
  fuzz_runs: 60,
};

/** A row of the matrix waits no longer for a fault that hangs. */
const rowTimeout_ms = 1000;

/** What became of a mutant. */
export interface MutantVerdict {
  mutant: Mutant;
  killed: boolean;
  /** Why it counts as alive. */
  reason: string | undefined;
  result: CaseResult | undefined;
}

/** Runs one case against one mutant: killed only when that case fails or warns with the mutant's code, and the fault fired. */
export async function judgeMutant(mutant: Mutant): Promise<MutantVerdict> {
  const one = catalogue.find(({ id }) => id === mutant.breaks);
  if (one === undefined)
    return { mutant, killed: false, reason: `there is no case ${mutant.breaks}`, result: undefined };
  let fired = 0;
  const earlier = catalogue.filter(({ id }) => mutant.after?.includes(id));
  const cases = [...earlier, one];
  let results: readonly CaseResult[];
  if (mutant.spawned === undefined) {
    const hooks = mutant.fault(() => fired++);
    results = await runAgainst({ ...mutant.service, hooks }, cases, mutant.settings);
  } else {
    ({ results, fired } = await runAgainstSpawned(mutant.spawned, cases, mutant.settings));
  }
  const result = results.at(-1);
  const verdict = (reason?: string): MutantVerdict => ({
    mutant,
    killed: reason === undefined,
    reason,
    result,
  });
  const caught = results.find(({ case: { id }, status }) => id !== one.id && status === "fail");
  if (caught !== undefined) return verdict(`${caught.case.id} caught it first`);
  if (fired === 0) return verdict("its fault never fired");
  if (result?.status !== "fail" && result?.status !== "warn" && one.level !== "INFO") {
    return verdict(`${one.id} says ${result?.status}${result?.reason ? `: ${result.reason}` : ""}`);
  }
  const codes = result?.findings.map(({ code }) => code) ?? [];
  if (!codes.includes(mutant.code))
    return verdict(`${one.id} says ${codes.join(", ")} instead of ${mutant.code}`);
  return verdict();
}

/** Runs cases against the pristine service as a process of its own. */
export async function runAgainstSpawned(
  env: Readonly<Record<string, string>>,
  cases: readonly ConformanceCase[],
  settings: Partial<Settings> = {},
): Promise<{ results: readonly CaseResult[]; fired: number }> {
  const { url, spawned, fired, close } = await spawnPristine({ TIME_SCALE: String(zooScale), ...env });
  try {
    const report = await runSuite({
      url,
      token: env.SERVICE_API_KEY,
      samples: pristineSamples(),
      spawned,
      cases,
      settings: { ...zooSettings, ...settings },
    });
    return { results: report.results, fired: fired() };
  } finally {
    await close();
  }
}

/** Which cases do not simply hold on a mutant: a row of the kill matrix, in the order of the catalogue. */
export async function rowOf(mutant: Mutant, cases: readonly ConformanceCase[]): Promise<string[]> {
  const settings = { timeout_ms: rowTimeout_ms, ...mutant.settings };
  const hooks = mutant.fault(() => {});
  const results = await runAgainst({ ...mutant.service, hooks }, cases, settings, (samples) =>
    samples.map((sample) => ({ ...sample, max_duration_ms: rowTimeout_ms })),
  );
  return results.filter(({ status }) => status === "fail" || status === "warn").map((one) => one.case.id);
}

/** Runs cases against a service of the zoo; one that asks for a token gets it. */
export async function runAgainst(
  service: PristineOptions,
  cases: readonly ConformanceCase[],
  settings: Partial<Settings> = {},
  changeSamples: (samples: Sample[]) => Sample[] = (samples) => samples,
): Promise<readonly CaseResult[]> {
  const running = await startPristine({ time_scale: zooScale, ...service });
  try {
    const report = await runSuite({
      url: running.url(),
      token: running.token,
      samples: changeSamples(pristineSamples()),
      share: running.share,
      cases,
      settings: { ...zooSettings, ...settings },
    });
    return report.results;
  } finally {
    await running.close();
  }
}
