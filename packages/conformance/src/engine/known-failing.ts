import type { CaseResult } from "./case.ts";

/** A failure that is known; it does not fail the run, but fails it once it is gone. */
export interface KnownFailing {
  id: string;
  reason: string;
  /** ISO date; from the day after on it counts no more. */
  until?: string | undefined;
}

/** A failure that is known is one no more. */
export function forgive(result: CaseResult, known: readonly KnownFailing[]): CaseResult {
  const entry = known.find(({ id }) => id === result.case.id);
  if (result.status !== "fail" || entry === undefined || isOver(entry)) return result;
  return { ...result, status: "known-failing", reason: entry.reason };
}

function isOver({ until }: KnownFailing): boolean {
  return until !== undefined && new Date().toISOString().slice(0, 10) > until;
}

/** Entries that ran and did not fail, and those whose time is over. */
export function staleEntries(known: readonly KnownFailing[], results: readonly CaseResult[]): string[] {
  return known.flatMap((entry) => {
    const status = results.find((result) => result.case.id === entry.id)?.status;
    if (status === undefined) return [`${entry.id}: there is no such case`];
    if (isOver(entry)) return [`${entry.id}: its time was over on ${entry.until}`];
    return status === "pass" || status === "warn" || status === "info"
      ? [`${entry.id}: it does not fail any more`]
      : [];
  });
}
