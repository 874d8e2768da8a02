export type { Demo, DemoInput, DemoPlace, DemoResult, OwnOptions } from "./demo/demo.ts";
export { look, toCount } from "./demo/read-options.ts";
export { runDemoProgram } from "./demo/run-demo-program.ts";
export { UsageError } from "./demo/usage-error.ts";
export type { UseCasePaths } from "./demo/use-case-paths.ts";
export { useCasePaths } from "./demo/use-case-paths.ts";
export { state_file_name } from "./pipeline/claim-folder.ts";
export type { Dockerinfo } from "./pipeline/dockerinfo.ts";
export { toDockerinfo } from "./pipeline/dockerinfo.ts";
export type {
  LocalPipeline,
  LocalPipelineOptions,
  RunOptions,
  RunOutcome,
} from "./pipeline/start-local-pipeline.ts";
export { startLocalPipeline } from "./pipeline/start-local-pipeline.ts";
export type { ServiceEnvironment } from "./services/environment.ts";
export type { ServiceProcess } from "./services/service-process.ts";
export type { RunningServices, ServiceProgram, StartServicesOptions } from "./services/start-services.ts";
export { startServices } from "./services/start-services.ts";
export type { ProgressDisplay, ProgressDisplayOptions, ShownTask } from "./terminal/progress-display.ts";
export { createProgressDisplay } from "./terminal/progress-display.ts";
export type { StopSignal } from "./terminal/stop-signal.ts";
export { catchStopSignals } from "./terminal/stop-signal.ts";
export type { TableOptions } from "./terminal/table.ts";
export { formatBytes, formatTable } from "./terminal/table.ts";
