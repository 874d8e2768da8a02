import type { DataReference } from "@aieffect/control-interface";
import type { Code } from "../codes/codes.ts";
import type { FixtureHost } from "../target/fixture-host.ts";
import type { Sample } from "../target/sample.ts";
import type { SpawnedTarget } from "../target/spawn.ts";
import { type Exchange, type History, inBrief, longestKept, type ReceivedReply } from "../wire/exchange.ts";
import type { RawCall, RawResult } from "../wire/raw.ts";
import type { CallOptions } from "../wire/send.ts";
import type { Calibration, Ended } from "./calibrate.ts";
import type { Finding, FindingStatus, FuzzReplay, Level } from "./case.ts";
import type { DriveOptions, Driver } from "./drive.ts";
import type { Payload } from "./payload.ts";
import { CaseStop, NotApplicable, Untestable } from "./stop.ts";

/** What a check says where it does not hold. */
export interface Say {
  expected: string;
  found: string;
  /** What shows it. */
  at?: Exchange | readonly (Exchange | undefined)[] | undefined;
  /** Another level than the case's. */
  level?: Level;
  /** Of what a fuzzer has found. */
  replay?: FuzzReplay;
}

/** Settings of a run that cases look at. */
export interface Settings {
  seed: number;
  timeout_ms: number;
  poll_interval_ms: number;
  /** Pauses and durations that are part of a case take so much of their real time; the self-test hurries. 1 otherwise. */
  time_scale: number;
  /** How long a result has to stay readable to be judged so (T14). */
  retention_ms: number;
  fuzz_runs: number;
  /** Fuzz only what `replay.path` of a finding says, with the `seed` that it says. */
  fuzz_path?: string;
  /** As in `{ "p95.ack": 300 }`: a budget makes a performance case a check. */
  budget: Readonly<Record<string, number>>;
  /** The longest a call to execute may take (R-READ-11), less a margin. */
  execute_budget_ms: number;
}

/** What a case works with. Every call is noted in the history under the case's id. */
export interface CaseContext extends Omit<Driver, "request"> {
  readonly base_url: string;
  readonly token: string | undefined;
  readonly settings: Settings;
  readonly history: History;
  /** The service's process, where the harness started it. */
  readonly spawned: SpawnedTarget | undefined;
  /** The harness's own server for inputs; needs "fixtures". */
  readonly fixtures: FixtureHost;
  /** What the service says of itself; undefined where it does not. */
  readonly operations: OperationsInfo | undefined;
  /** Every sample of the manifest. */
  readonly all_samples: readonly Sample[];
  /** Origins under which peers reach the service, and those under which the harness does. */
  readonly origins: Readonly<Record<string, string>>;
  /** The folder here that the service sees as its own, where one was named. */
  readonly share: string | undefined;

  send(call: CallOptions): Promise<Exchange>;
  raw(call: RawCall): Promise<RawResult>;
  /** The request of a sample, to be changed and sent by hand. */
  requestOf(sample: Sample, options?: DriveOptions): Record<string, unknown>;
  /** The inputs of a sample as they are sent, with their uris filled in. */
  inputsOf(sample: Sample): readonly Record<string, unknown>[];
  /** A new id, unlike any other of this run. */
  id(prefix?: string): string;
  payload(reference: DataReference): Promise<Payload>;
  /** One GET of a payload's URL. */
  fetch(
    uri: string,
    call?: { fresh?: boolean; headers?: Record<string, string>; token?: string | null; method?: string },
  ): Promise<Exchange>;
  /** The output of a sample that runs alone. Ends the case as untestable where that tells nothing. */
  calibrated(sample: Sample): Promise<Calibration & { fingerprint: string }>;
  /** The fingerprint of a run's output. */
  outputOf(run: Ended): Promise<{ fingerprint: string | undefined; problem: string | undefined }>;
  /** What is equal for equal payloads, as the sample compares them; undefined where nothing can be compared. */
  fingerprintOf(bytes: Buffer, format: string, sample: Sample): string | undefined;

  /** A sample that completes, of the profile's style. */
  sample(): Sample;
  /** All samples that complete, one a method. */
  samples(): readonly Sample[];
  /** Samples a and b of one method. */
  pair(): readonly [Sample, Sample];
  /** A sample that fails. */
  failing(): Sample;
  /** A sample that runs 2 s or more: of a sequential method in that profile, of a concurrent one in all others. */
  slow(): Sample;
  /** A sample of a concurrent method that runs 30 s or more; undefined where there is none, for what only then can be seen. */
  lasting(): Sample | undefined;

  /** Notes a check; gives back whether it held. */
  check(holds: boolean, code: Code, say: Say): boolean;
  /** As `check`, and ends the case where it does not hold. */
  require(holds: boolean, code: Code, say: Say): void;
  /** The reply of an exchange; without one the case ends here. */
  replied(exchange: Exchange): ReceivedReply;
  /** The handle that an answer to execute told; without one the case ends here. */
  handleOf(execute: Exchange): string;
  /** Tells something that is no verdict. */
  tell(code: Code, say: Say): void;
  /** Adds to the reason of the result: what a pass rests on. */
  note(text: string): void;
  /** Notes a check that came to nothing, because the machine was too busy. */
  inconclusive(code: Code, say: Say): void;
  /** Ends the case: something that it needs is missing; `what` says what to add. */
  untestable(what: string): never;
  /** Ends the case: it does not concern this service. */
  notApplicable(why: string): never;
  /**
   * Times `work` against a budget. Over it, and the machine was quiet, it is measured once more; over
   * it again, the check fails. On a busy machine it fails only beyond five times the budget, and is
   * inconclusive otherwise. @returns what `work` gave the last time
   */
  timed<T>(budget_ms: number, code: Code, say: (took_ms: number) => Say, work: () => Promise<T>): Promise<T>;
  /** So many ms, as this run scales time. */
  scaled(ms: number): number;
  /** Waits for something, while what later cases prepare goes on beside it; resolves when both are over. */
  beside<T>(wait: () => Promise<T>): Promise<T>;
  /** Resolves after so many ms, scaled; for pauses that are part of what is checked. */
  pause(ms: number): Promise<void>;
}

/** `GET /control/operations`, as far as it could be read. */
export interface OperationsInfo {
  operations: readonly Readonly<Record<string, unknown>>[];
  extensions: readonly string[];
}

/** Collects what the checks of one case come to. */
export class Findings {
  checks = 0;
  readonly all: Finding[] = [];
  /** What a pass rests on. */
  readonly notes: string[] = [];
  readonly #level: Level;

  constructor(level: Level) {
    this.#level = level;
  }

  check(holds: boolean, code: Code, say: Say): boolean {
    this.checks++;
    if (!holds) this.add(statusOf(say.level ?? this.#level), code, say);
    return holds;
  }

  require(holds: boolean, code: Code, say: Say): void {
    if (!this.check(holds, code, say)) throw new CaseStop(say.found);
  }

  add(status: FindingStatus, code: Code, { expected, found, at, replay }: Say): void {
    const shown = [at].flat().filter((one): one is Exchange => one !== undefined);
    // There may be many findings, each with replies that are long.
    const exchanges = shown.map((one) => (isLong(one) ? inBrief(one) : one));
    // A slice of a text keeps all of it in memory: what is said of a long reply would keep the reply.
    const said = structuredClone({ expected, found });
    this.all.push({ status, code, ...said, exchanges, ...(replay && { replay }) });
  }
}

function isLong({ reply, received }: Exchange): boolean {
  return Math.max(reply?.body.length ?? 0, received?.length ?? 0) > longestKept;
}

function statusOf(level: Level): FindingStatus {
  if (level === "MUST") return "fail";
  return level === "SHOULD" ? "warn" : "info";
}

export const stops = {
  untestable(what: string): never {
    throw new Untestable(what);
  },
  notApplicable(why: string): never {
    throw new NotApplicable(why);
  },
};
