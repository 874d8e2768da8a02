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

/**
 * What stands in the way of CONFORMANT: profiles that are not, and every case that did not come out
 * well, in words. What a busy machine could not measure is nobody's fault.
 */
export function shortcomings({ profiles, results }: RunReport): string[] {
  const fine = ["pass", "info", "not-applicable", "inconclusive"];
  const isUnmeasured = (id: string) =>
    results.some((result) => result.case.id === id && result.status === "inconclusive");
  const behind = profiles.filter(({ verdict, because }) => {
    const isUnproven = verdict === "NOT PROVEN" && because.length > 0 && because.every(isUnmeasured);
    return verdict !== "CONFORMANT" && !isUnproven;
  });
  const bad = results.filter(({ status }) => !fine.includes(status));
  return [
    ...(profiles.length === 0 ? ["nothing was judged"] : []),
    ...behind.map(({ profile, verdict }) => `${profile} is ${verdict}`),
    ...bad.map(({ case: { id }, status, reason, findings }) => {
      const found = findings.map((one) => `${one.code}: expected ${one.expected}, found ${one.found}`);
      return `${id} ${status} ${reason ?? found.join("; ")}`;
    }),
  ];
}
