import type { Sample } from "../target/sample.ts";
import type { Driver, Run } from "./drive.ts";
import { fingerprint, type PayloadOptions, readPayload } from "./payload.ts";

/** What a sample's output is when nothing else happens. */
export interface Calibration {
  sample: Sample;
  /** Undefined where it cannot be told; then `problem` says why. */
  fingerprint: string | undefined;
  problem: string | undefined;
  runs: readonly Run[];
}

/** What of a run its output is told by. */
export type Ended = Pick<Run, "sample" | "end" | "reference">;

/** Compares outputs of tasks with those that the same requests had when they ran alone. */
export interface Calibrator {
  /** Runs the sample alone, twice; remembered for the rest of the run. */
  of(sample: Sample): Promise<Calibration>;
  /** The fingerprint of what a run produced. */
  outputOf(run: Ended): Promise<{ fingerprint: string | undefined; problem: string | undefined }>;
}

export function createCalibrator(driver: Driver, payloads: PayloadOptions): Calibrator {
  const known = new Map<string, Promise<Calibration>>();

  async function outputOf({ reference, sample, end }: Ended) {
    if (end !== "complete") return { fingerprint: undefined, problem: `the task ended ${end}` };
    if (reference === undefined) return { fingerprint: "", problem: undefined };
    const { bytes, problem } = await readPayload(reference, payloads);
    if (bytes === undefined) return { fingerprint: undefined, problem };
    const text = fingerprint(bytes, reference.format, sample.compare);
    return { fingerprint: text, problem: text === undefined ? "compare.mode is none" : undefined };
  }

  async function calibrate(sample: Sample): Promise<Calibration> {
    const runs = [await driver.run(sample), await driver.run(sample)];
    const [one, other] = await Promise.all(runs.map(outputOf));
    const problem =
      one?.problem ??
      other?.problem ??
      (one?.fingerprint === other?.fingerprint
        ? undefined
        : "two runs of it alone have different outputs; name what differs in compare.ignore, or say compare.mode: shape");
    return { sample, runs, problem, fingerprint: problem === undefined ? one?.fingerprint : undefined };
  }

  return {
    outputOf,
    of(sample) {
      const name = `${sample.method}/${sample.name}`;
      const found = known.get(name) ?? calibrate(sample);
      known.set(name, found);
      return found;
    },
  };
}
