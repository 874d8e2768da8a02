import type { Exchange } from "../wire/exchange.ts";
import type { CaseResult, CaseStatus, Profile } from "./case.ts";

/** What a profile comes to. */
export type Verdict =
  | "CONFORMANT"
  /** Every failure is one that the known-failing file names. */
  | "CONFORMANT EXCEPT"
  | "NON-CONFORMANT"
  /** A MUST could not be tested, or nothing was: never green. */
  | "NOT PROVEN";

/** A profile with its verdict. */
export interface ProfileResult {
  profile: Profile;
  verdict: Verdict;
  /** Why, where it is not CONFORMANT: the ids of the cases behind it. */
  because: readonly string[];
  counts: Readonly<Record<CaseStatus, number>>;
}

/** A finished run. */
export interface RunReport {
  target: string;
  suite_version: string;
  seed: number;
  /** ISO 8601. */
  started_at: string;
  duration_ms: number;
  /** It was stopped before its end. */
  interrupted: boolean;
  verdict: Verdict;
  profiles: readonly ProfileResult[];
  /** Every case of the catalogue, those that did not run included. */
  results: readonly CaseResult[];
  counts: Readonly<Record<CaseStatus, number>>;
  /** Known-failing entries that did not fail, or whose time is over. */
  stale: readonly string[];
  exchanges: readonly Exchange[];
}
