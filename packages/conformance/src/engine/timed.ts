import type { Code } from "../codes/codes.ts";
import type { CaseContext, Findings, Say } from "./context.ts";
import { type Quiet, watchQuiet } from "./lag.ts";

/** Beyond so many budgets no busy machine is to blame. */
const hopeless = 5;

/** What is timed with; tests pass in their own. */
export interface Stopwatch {
  /** Watches the machine from now on (monitor W6). */
  watch(): () => Quiet;
  now(): number;
}

const ours: Stopwatch = { watch: watchQuiet, now: () => performance.now() };

/** `timed` of a case's context, whose verdicts go to `findings`. */
export function createTimed(findings: Findings, { watch, now }: Stopwatch = ours): CaseContext["timed"] {
  return async <T>(
    budget_ms: number,
    code: Code,
    say: (took_ms: number) => Say,
    work: () => Promise<T>,
  ): Promise<T> => {
    const measure = async () => {
      const quietOf = watch();
      const began = now();
      const value = await work();
      return { value, took_ms: now() - began, quiet: quietOf().quiet };
    };
    const first = await measure();
    if (first.took_ms <= budget_ms || first.took_ms > hopeless * budget_ms) {
      findings.check(first.took_ms <= budget_ms, code, say(first.took_ms));
      return first.value;
    }
    const again = await measure();
    const { took_ms } = again;
    // Within it this time: the first was the machine's fault, or the service's mood.
    if (took_ms <= budget_ms) findings.add("inconclusive", code, say(first.took_ms));
    else if (again.quiet || took_ms > hopeless * budget_ms) findings.check(false, code, say(took_ms));
    else findings.add("inconclusive", code, say(took_ms));
    return again.value;
  };
}
