/** Longest wait, in seconds (R-WAIT-01): below the 30 s that a deployed orchestrator allows a call. */
const maxWait_s = 25;

/** `Prefer: wait=N` (RFC 7240): the seconds to wait and what to answer as applied; undefined when not asked. */
export function readWait(
  header: string | string[] | undefined,
): { wait_s: number; applied: string } | undefined {
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  const match = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=$|[,;])/i.exec(text);
  if (match === null) return undefined;
  const asked = Number(match[1]);
  return { wait_s: Math.min(asked, maxWait_s), applied: `wait=${asked}` };
}
