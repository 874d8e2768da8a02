import type { Sample } from "../target/sample.ts";
import type { Profile } from "./case.ts";

export const completes = (sample: Sample) => sample.expect === "complete";
export const fails = (sample: Sample) => sample.expect === "failed";
export const isSlowFor = (profile: Profile) => (sample: Sample) =>
  (sample.mode === "sequential") === (profile === "sequential") &&
  completes(sample) &&
  sample.at_least_ms >= 2000;
export const isLasting = (sample: Sample) =>
  sample.mode !== "sequential" && completes(sample) && sample.at_least_ms >= 30_000;

/** Quick ones first: slow ones are for cases that ask for them. */
export function firstOf(samples: readonly Sample[], test: (sample: Sample) => boolean): Sample | undefined {
  return samples.filter(test).toSorted((one, other) => one.at_least_ms - other.at_least_ms)[0];
}

export function onePerMethod(samples: readonly Sample[]): Sample[] {
  const methods = new Set(samples.map(({ method }) => method));
  return [...methods].flatMap((name) => firstOf(samples, ({ method }) => method === name) ?? []);
}

export function pairOf(samples: readonly Sample[]): readonly [Sample, Sample] | undefined {
  for (const a of samples.filter(({ name, expect }) => name === "a" && expect === "complete")) {
    const b = samples.find(
      ({ method, name, expect }) => method === a.method && name === "b" && expect === "complete",
    );
    if (b !== undefined) return [a, b];
  }
  return undefined;
}

export function samplesFor(profile: Profile, samples: readonly Sample[]): readonly Sample[] {
  if (profile === "sequential") return samples.filter(({ mode }) => mode === "sequential");
  if (profile === "concurrent") return samples.filter(({ mode }) => mode === "concurrent");
  return samples;
}
