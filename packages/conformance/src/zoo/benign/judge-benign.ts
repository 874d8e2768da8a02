import { catalogue } from "../../cases/catalogue.ts";
import type { ConformanceCase } from "../../engine/case.ts";
import { runAgainst } from "../judge-mutant.ts";
import { describe, isUnsettled } from "../outcome.ts";
import type { BenignService } from "./benign.ts";

/** What only measures has no verdict. */
const judging = catalogue.filter(({ level }) => level !== "INFO");

/**
 * Runs cases against an odd but legal service, every one with a verdict unless told.
 * @returns what is wrong with the suite, undefined when nothing
 */
export async function judgeBenign(
  benign: BenignService,
  cases: readonly ConformanceCase[] = judging,
): Promise<string | undefined> {
  let fired = 0;
  const hooks = benign.odd(() => fired++);
  const results = await runAgainst({ ...benign.service, hooks }, cases, { fuzz_runs: 20 }, benign.samples);
  if (fired === 0) return "it never was odd";
  const bad = results.filter((result) => {
    const mayWarn = result.status === "warn" && benign.warns?.includes(result.case.id);
    return isUnsettled(result) && !mayWarn;
  });
  return bad.length === 0 ? undefined : bad.map(describe).join("; ");
}
