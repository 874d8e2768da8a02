export { catalogue } from "./cases/catalogue.ts";
export { type Figure, type FigureName, figures, unknownFigures } from "./cases/performance/figures.ts";
export type { CodeText } from "./codes/codes.ts";
export { type Code, codes } from "./codes/codes.ts";
export type {
  CaseResult,
  CaseStatus,
  ConformanceCase,
  Finding,
  FuzzReplay,
  Level,
  Need,
  Profile,
  Reason,
} from "./engine/case.ts";
export { profiles } from "./engine/case.ts";
export type { Settings } from "./engine/context.ts";
export type { RunEvent } from "./engine/events.ts";
export type { KnownFailing } from "./engine/known-failing.ts";
export type { RunOptions } from "./engine/options.ts";
export type { ProfileResult, RunReport, Verdict } from "./engine/report.ts";
export { runSuite } from "./engine/run.ts";
export type { ReportDocument } from "./report/document.ts";
export { reportSchema, toDocument } from "./report/document.ts";
export { toHtml } from "./report/html.ts";
export { toJUnit } from "./report/junit.ts";
export { toMarkdown } from "./report/markdown.ts";
export type { Secret } from "./report/secrets.ts";
export type { Manifest } from "./target/manifest.ts";
export { ManifestError, manifestSchema, parseManifest, readManifest, samplesOf } from "./target/manifest.ts";
export type { Comparison, Mode, Sample, SampleReference } from "./target/sample.ts";
export type { SpawnedTarget, SpawnOptions } from "./target/spawn.ts";
export { spawnTarget } from "./target/spawn.ts";
