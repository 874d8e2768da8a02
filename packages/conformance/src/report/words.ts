import type { CaseStatus } from "../engine/case.ts";
import type { DocumentCase, ReportDocument } from "./document.ts";

/** A profile's counts in words, as in `9 passed, 1 failed`. */
export function countsInWords(counts: Readonly<Partial<Record<CaseStatus, number>>>): string {
  const words = order.flatMap(([status, word]) => {
    const count = counts[status] ?? 0;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  return words.join(", ") || "nothing ran";
}

const order: readonly (readonly [CaseStatus, string])[] = [
  ["pass", "passed"],
  ["fail", "failed"],
  ["known-failing", "known to fail"],
  ["warn", "warned"],
  ["inconclusive", "inconclusive"],
  ["untestable", "untestable"],
  ["info", "told"],
  ["skipped", "not chosen"],
  ["not-applicable", "not applicable"],
];

/** What a verdict means, for people. */
export const verdictsInWords: Readonly<Record<ReportDocument["verdict"], string>> = {
  CONFORMANT: "The deployed orchestrator will work with this service.",
  "CONFORMANT EXCEPT":
    "The deployed orchestrator will work with this service, but for failures that are known.",
  "NON-CONFORMANT": "The deployed orchestrator, or who relies on it, will have trouble with this service.",
  "NOT PROVEN": "Nothing that was tested failed, but not all that has to hold could be tested.",
};

/** The cases that could not be tested, by what is missing. */
export function missingByReason(cases: readonly DocumentCase[]): [reason: string, cases: DocumentCase[]][] {
  const groups = new Map<string, DocumentCase[]>();
  for (const one of cases) {
    if (one.status !== "untestable") continue;
    const reason = one.reason ?? "";
    groups.set(reason, [...(groups.get(reason) ?? []), one]);
  }
  return [...groups];
}

/** Whether a case is to be shown with what was found. */
export function isTroubled({ status }: Pick<DocumentCase, "status">): boolean {
  return status === "fail" || status === "warn" || status === "known-failing" || status === "inconclusive";
}
