import type { CaseResult } from "../engine/case.ts";

/** Whether a case did not come out well on a service that is right. */
export function isUnsettled({ status }: CaseResult): boolean {
  return !["pass", "info", "not-applicable", "inconclusive"].includes(status);
}

/** What a case came to, in a line. */
export function describe({ case: { id }, status, reason, findings }: CaseResult): string {
  const [first] = findings.filter((finding) => finding.status === "fail" || finding.status === "warn");
  const why =
    first === undefined ? reason : `${first.code}: expected ${first.expected}, found ${first.found}`;
  return `${id} ${status}${why === undefined ? "" : ` (${why})`}`;
}
