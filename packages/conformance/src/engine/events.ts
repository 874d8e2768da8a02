import type { Exchange } from "../wire/exchange.ts";
import type { CaseResult, ConformanceCase } from "./case.ts";
import type { RunReport } from "./report.ts";

/** What a run tells while it goes on; every report is made from these. */
export type RunEvent =
  | { type: "run.start"; target: string; seed: number; suite_version: string; planned: readonly string[] }
  | { type: "case.start"; case: ConformanceCase }
  | { type: "exchange"; exchange: Exchange }
  | { type: "case.end"; result: CaseResult }
  | { type: "run.end"; report: RunReport };
