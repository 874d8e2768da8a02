export { checkExport } from "./check/check-export.ts";
export { toJson, toSarif, toText } from "./check/print-problems.ts";
export { writeBuildScript } from "./compose/build-script.ts";
export type { ComposeOptions, Deployment } from "./compose/compose-model.ts";
export { planDeployment } from "./compose/plan-deployment.ts";
export { writeCompose } from "./compose/write-compose.ts";
export type { DrawnBlueprint } from "./graph/layout.ts";
export { toMermaid } from "./graph/to-mermaid.ts";
export { toSvg } from "./graph/to-svg.ts";
export type { UseCaseFiles } from "./import/plan-import.ts";
export { keepsNames, planImport } from "./import/plan-import.ts";
export { planImportGrpc } from "./import/plan-import-grpc.ts";
export { readPackage } from "./import/read-package.ts";
export { writeUseCase } from "./import/write-use-case.ts";
export type { ReadBlueprint } from "./model/blueprint.ts";
export { blueprintSchema } from "./model/blueprint.ts";
export type { ConnectionsFile } from "./model/connections.ts";
export { connectionsSchema } from "./model/connections.ts";
export { dockerinfoSchema } from "./model/dockerinfo.ts";
export type { Connection, PublishedPorts, UseCase, UseCaseService } from "./model/use-case.ts";
export { checkUseCase } from "./plan/check-use-case.ts";
export type {
  Blueprint,
  BlueprintNode,
  DockerInfo,
  ExportPlan,
  GenerationMetadata,
  OperationSignature,
  PlannedService,
  PlanOptions,
} from "./plan/export-plan.ts";
export { planExport } from "./plan/plan-export.ts";
export type { Problem, ProblemCode } from "./problems/problem.ts";
export { ProblemsError, sortProblems, toLine } from "./problems/problem.ts";
export type { Proto, ProtoEnum, ProtoField, ProtoMessage, ProtoService, Rpc } from "./proto/proto.ts";
export type { ReadExport } from "./read/read-export.ts";
export { readExport, readExportFiles } from "./read/read-export.ts";
export type { ReadUseCase } from "./read/read-use-case.ts";
export { readUseCase } from "./read/read-use-case.ts";
export { toExportFiles, toExportZip } from "./write/export-files.ts";
export type { WriteOptions, WrittenExport } from "./write/write-export.ts";
export { writeExport } from "./write/write-export.ts";
