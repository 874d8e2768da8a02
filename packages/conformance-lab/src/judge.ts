import {
  type Manifest,
  parseManifest,
  type RunOptions,
  type RunReport,
  runSuite,
  samplesOf,
} from "@aieffect/conformance";

/** How fast the lab's services live, so that a run is short. */
export const labScale = 0.1;

/** Settings of runs against services that live at {@link labScale}. */
export const labSettings: NonNullable<RunOptions["settings"]> = {
  seed: 1,
  poll_interval_ms: 20,
  time_scale: labScale,
  fuzz_runs: 60,
};

/** What a service says of itself and what it is given. */
export interface Judged extends Omit<RunOptions, "samples"> {
  /** YAML. */
  manifest: string;
}

/** Runs the whole suite. */
export function judge({ manifest, ...options }: Judged): Promise<RunReport> {
  const parsed: Manifest = parseManifest(manifest);
  return runSuite({
    samples: samplesOf(parsed, () => "either"),
    claims: parsed.claims ?? [],
    ...options,
    settings: { ...labSettings, ...options.settings },
  });
}

/** Cases that need not pass, and what they say instead. */
export type Exceptions = Readonly<Record<string, "warn" | "untestable" | "not-applicable">>;

/** Services that close connections without a whole head after 10 s: runs that hurry do not wait for that. */
export const unhurried = { R09: "warn" } as const satisfies Exceptions;

/**
 * What stands in the way of CONFORMANT: profiles that are not, and every case that did not come out
 * as expected, in words. What a busy machine could not measure is nobody's fault.
 */
export function shortcomings({ profiles, results }: RunReport, exceptions: Exceptions = {}): string[] {
  const fine = ["pass", "info", "not-applicable"];
  const isExcused = (id: string) =>
    results.some(({ case: { id: found }, status }) => {
      return found === id && (status === "inconclusive" || exceptions[id] === status);
    });
  const behind = profiles.filter(({ verdict, because }) => {
    const isUnproven = verdict === "NOT PROVEN" && because.length > 0 && because.every(isExcused);
    return verdict !== "CONFORMANT" && !isUnproven;
  });
  const bad = results.filter(({ case: { id }, status }) => !fine.includes(status) && !isExcused(id));
  const stale = Object.entries(exceptions).filter(([id]) => !isExcused(id));
  return [
    ...(profiles.length === 0 ? ["nothing was judged"] : []),
    ...behind.map(({ profile, verdict }) => `${profile} is ${verdict}`),
    ...bad.map(({ case: { id }, status, reason, findings }) => {
      const found = findings.map((one) => `${one.code}: expected ${one.expected}, found ${one.found}`);
      return `${id} ${status} ${reason ?? found.join("; ")}`;
    }),
    ...stale.map(([id, status]) => `${id} was expected to be ${status}; take the exception out`),
  ];
}
