export { conformanceCaseGenerator } from "./contributors/conformance-case-generator.ts";
export type { ScaffoldCode, ScaffoldErrorParts } from "./errors.ts";
export {
  exitCodes,
  ScaffoldError,
  scaffoldCodes,
  toErrorJson,
  toErrorText,
  toScaffoldError,
} from "./errors.ts";
export type { Answers, Generator, GeneratorContext, Plan, Prompt } from "./generator.ts";
export { completeAnswers, planGenerator } from "./generator.ts";
export { badName, operationNameProblem, serviceNameProblem } from "./names.ts";
export { operationGenerator } from "./operation/operation-generator.ts";
export { registryPath, writeRegistry } from "./operation/registry.ts";
export { pipelineGenerator } from "./pipeline/pipeline-generator.ts";

export { exampleGenerator } from "./service/example-generator.ts";
export type { ProjectManifest, Zone } from "./service/project-manifest.ts";
export { manifestFile, readProjectManifest, zoneOf } from "./service/project-manifest.ts";
export { serviceGenerator } from "./service/service-generator.ts";
export { readTemplates } from "./templates/read-templates.ts";
export type { Template, TemplateFile, Templates } from "./templates/templates.ts";
export { commitTree } from "./tree/commit.ts";
export { toSafePath } from "./tree/jail.ts";
export { toChangeList, toDiff } from "./tree/show-changes.ts";
export type { Change, PlannedFile, Tree } from "./tree/tree.ts";
export { createTree } from "./tree/tree.ts";
