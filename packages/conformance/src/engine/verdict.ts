import { type CaseResult, type CaseStatus, type Profile, profiles } from "./case.ts";
import type { ProfileResult, Verdict } from "./report.ts";

const noCounts: Record<CaseStatus, number> = {
  pass: 0,
  fail: 0,
  warn: 0,
  info: 0,
  untestable: 0,
  "not-applicable": 0,
  inconclusive: 0,
  "known-failing": 0,
  skipped: 0,
};

/** How many cases came to what. */
export function countStatuses(results: readonly CaseResult[]): Record<CaseStatus, number> {
  const counts = { ...noCounts };
  for (const { status } of results) counts[status]++;
  return counts;
}

/** The verdict of every profile that concerns the service. */
export function judgeProfiles(results: readonly CaseResult[], claims: readonly Profile[]): ProfileResult[] {
  return profiles.flatMap((profile) => {
    const own = results.filter((result) => result.case.profile === profile);
    const ran = own.some(({ status }) => status !== "not-applicable" && status !== "skipped");
    if (own.length === 0 || (!ran && !claims.includes(profile))) return [];
    return [{ profile, ...judgeCases(own), counts: countStatuses(own) }];
  });
}

/** A MUST that fails decides; then one that is not known; a run of nothing proves nothing. */
function judgeCases(results: readonly CaseResult[]): Pick<ProfileResult, "verdict" | "because"> {
  const ids = (...statuses: CaseStatus[]) =>
    results.filter(({ status }) => statuses.includes(status)).map((result) => result.case.id);
  const failed = ids("fail");
  if (failed.length > 0) return { verdict: "NON-CONFORMANT", because: failed };
  const musts = results.filter((result) => result.case.level === "MUST");
  const unknown = musts.filter(({ status }) => isUnknown(status));
  if (unknown.length > 0) return { verdict: "NOT PROVEN", because: unknown.map((result) => result.case.id) };
  const proven = musts.some(({ status, checks }) => status === "pass" && checks > 0);
  const known = ids("known-failing");
  if (known.length > 0) return { verdict: "CONFORMANT EXCEPT", because: known };
  // A profile that has no MUST at all cannot be broken.
  const isAllOptional = musts.every(({ status }) => status === "not-applicable");
  if (!proven && !(isAllOptional && results.some(({ status }) => isTold(status)))) {
    return { verdict: "NOT PROVEN", because: [] };
  }
  return { verdict: "CONFORMANT", because: [] };
}

function isUnknown(status: CaseStatus): boolean {
  return status === "untestable" || status === "inconclusive" || status === "skipped";
}

function isTold(status: CaseStatus): boolean {
  return status === "pass" || status === "warn" || status === "info";
}

/** The worst of all profiles; without any, nothing is proven. */
export function judgeRun(profileResults: readonly ProfileResult[]): Verdict {
  const has = (verdict: Verdict) => profileResults.some((result) => result.verdict === verdict);
  if (has("NON-CONFORMANT")) return "NON-CONFORMANT";
  if (profileResults.length === 0 || has("NOT PROVEN")) return "NOT PROVEN";
  return has("CONFORMANT EXCEPT") ? "CONFORMANT EXCEPT" : "CONFORMANT";
}
