import type { Code } from "../codes/codes.ts";
import type { Exchange } from "../wire/exchange.ts";
import type { CaseContext } from "./context.ts";

/** What a service can claim, and is judged by as a whole. */
export const profiles = [
  "core",
  "sequential",
  "concurrent",
  "auth",
  "data-plane",
  "robustness",
  "isolation",
  "performance",
  "extensions",
  "e2e",
] as const;
export type Profile = (typeof profiles)[number];

/** MUST fails a run, SHOULD warns, INFO tells. */
export type Level = "MUST" | "SHOULD" | "INFO";

/** Why a MUST is one; without such a reason a case is at most a SHOULD. */
export type Reason =
  /** The deployed orchestrator fails, hangs or loses the task otherwise. */
  | "orchestrator"
  /** Results are lost or mixed up otherwise. */
  | "data"
  /** It is a hole otherwise. */
  | "security"
  /** HTTP itself demands it. */
  | "rfc"
  /** Good practice, no MUST. */
  | "practice";

/** What a case needs beside the URL. */
export type Need =
  /** A sample that completes. */
  | "sample"
  /** Samples a and b of one method, whose outputs differ. */
  | "pair"
  /** A sample that fails. */
  | "failing"
  /** A sample that runs for 2 s or more: of a sequential method in that profile, of a concurrent one in all others. */
  | "slow"
  /** The service can fetch from the harness. */
  | "fixtures"
  /** A bearer token. */
  | "token"
  /** The harness starts the service itself. */
  | "spawn";

/** One thing that has to hold. The id is permanent: never given to another case, never changed. */
export interface ConformanceCase {
  /** As in `T04`. */
  id: string;
  /** As in `conc/visible-at-once`. */
  slug: string;
  profile: Profile;
  level: Level;
  because: Reason;
  /** Rules of CONTRACT.md that it checks. */
  rules: readonly string[];
  needs: readonly Need[];
  /** What holds, in one sentence. */
  holds: string;
  /** What happens in the orchestrator, or to its users, where it does not hold. */
  consequence: string;
  /** What to change in the service. */
  fix: string;
  /** The extension that has to be declared for it to be run. */
  extension?: string;
  /** Its verdict rests on time measured (budget, lag). @default false */
  timing?: boolean;
  /** It can only disprove: a pass is no proof. @default false */
  stochastic?: boolean;
  /** It can harm a service that others use: run on loopback, or when allowed. @default false */
  destructive?: boolean;
  /**
   * When it runs, so that a service with a fault hears of it soon: among the first, because it takes
   * moments; after those, because it takes about a second, or waits for several on purpose; at the
   * end, because it looks back on the whole run. @default "early"
   */
  turn?: "early" | "soon" | "late" | "last";
  /**
   * Begins what it will look at, beside what an earlier case only waits for (`beside` of the
   * context). What goes wrong there is forgotten: the case begins again by itself.
   */
  prepare?(context: CaseContext): Promise<void>;
  run(context: CaseContext): Promise<void>;
}

/** Declares a case; here so that its file is checked where it is written. */
export function defineCase(one: ConformanceCase): ConformanceCase {
  return one;
}

/** What a check came to. */
export type FindingStatus = "fail" | "warn" | "info" | "inconclusive";

/** A check that did not simply hold. */
export interface Finding {
  status: FindingStatus;
  code: Code;
  /** What was expected, in words. */
  expected: string;
  found: string;
  /** The exchanges that show it, oldest first. */
  exchanges: readonly Exchange[];
  /** What makes the fuzzer generate it again. */
  replay?: FuzzReplay;
}

/** Where in a fuzzer's stream of inputs a counterexample is. */
export interface FuzzReplay {
  seed: number;
  /** For the setting `fuzz_path`. */
  path: string;
}

/** What a case came to. */
export type CaseStatus =
  | "pass"
  | "fail"
  | "warn"
  | "info"
  /** What it needs is missing; `reason` says what to add. Never a pass, never a failure. */
  | "untestable"
  /** It does not concern this service. */
  | "not-applicable"
  /** Time was measured on a machine too busy for a verdict. */
  | "inconclusive"
  /** It fails, as the known-failing file says. */
  | "known-failing"
  /** It was not chosen. */
  | "skipped";

/** A case with its outcome. */
export interface CaseResult {
  case: ConformanceCase;
  status: CaseStatus;
  /** Why it did not run, what to add so that it does, or what a pass rests on. */
  reason: string | undefined;
  /** How many things were checked, those that held included. */
  checks: number;
  findings: readonly Finding[];
  duration_ms: number;
}
