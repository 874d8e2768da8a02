export { checkExport } from "./check/check-export.ts";
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
