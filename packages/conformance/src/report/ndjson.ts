import type { CaseResult, ConformanceCase } from "../engine/case.ts";
import type { RunEvent } from "../engine/events.ts";
import { documentExchange } from "./document.ts";
import { createRedactor, type Secret } from "./secrets.ts";

/** Every event of a run as a line of JSON, as it happens. */
export function createNdjsonReporter(
  write: (line: string) => void,
  secrets: readonly Secret[],
): (event: RunEvent) => void {
  const redactor = createRedactor(secrets);
  let base_url = "";
  const put = (value: object) => write(`${JSON.stringify(value)}\n`);
  return (event) => {
    switch (event.type) {
      case "run.start":
        base_url = event.target;
        return put({ ...event, target: redactor.text(event.target) });
      case "case.start":
        return put({ type: event.type, ...nameOf(event.case) });
      case "exchange":
        return put({ type: event.type, ...documentExchange(event.exchange, { base_url, redactor }) });
      case "case.end": {
        const { case: one, status, checks, duration_ms, reason = null } = event.result;
        return put({
          type: event.type,
          ...nameOf(one),
          status,
          reason: reason === null ? null : redactor.text(reason),
          checks,
          duration_ms,
          findings: findingsOf(event.result),
        });
      }
      case "run.end": {
        const { verdict, profiles, counts, stale, interrupted, duration_ms } = event.report;
        return put({ type: event.type, verdict, profiles, counts, stale, interrupted, duration_ms });
      }
    }
  };

  function findingsOf({ findings }: CaseResult) {
    return findings.map(({ status, code, expected, found, exchanges }) => ({
      status,
      code,
      expected: redactor.text(expected),
      found: redactor.text(found),
      exchanges: exchanges.map(({ n }) => n),
    }));
  }
}

function nameOf({ id, slug, profile, level }: ConformanceCase) {
  return { id, slug, profile, level };
}
