export type {
  CallOptions,
  ControlClientOptions,
  ExecuteAnswer,
  ExecuteCall,
  ExecuteOptions,
  StatusAnswer,
} from "./client/control-client.ts";
export { ControlClient } from "./client/control-client.ts";
export type { ControlErrorCode, ControlErrorOptions } from "./errors/control-error.ts";
export { ControlError, toControlError } from "./errors/control-error.ts";
export type { HostPolicy, HostPolicyOptions } from "./hosts/host-policy.ts";
export { createHostPolicy } from "./hosts/host-policy.ts";
export { canonicalJson } from "./json/canonical-json.ts";
export type {
  ExecuteRequest,
  ExecuteResponse,
  OperationsResponse,
  OutputResponse,
  StatusResponse,
  ValidationIssue,
} from "./messages/messages.ts";
export {
  errorResponseSchema,
  executeRequestSchema,
  executeResponseSchema,
  extensions,
  healthResponseSchema,
  maxIdLength,
  operationsResponseSchema,
  outputResponseSchema,
  statusResponseSchema,
  validationErrorSchema,
  validationIssueSchema,
} from "./messages/messages.ts";
export { readExecuteRequest } from "./messages/read-execute-request.ts";
export type { OpenApi, OpenApiOperation, OpenApiOptions } from "./openapi/create-openapi.ts";
export { createOpenApi } from "./openapi/create-openapi.ts";
export type { JsonSchema } from "./openapi/json-schemas.ts";
export { createJsonSchemas } from "./openapi/json-schemas.ts";
export type { Outcome, Reply, Verdict } from "./oracle/judge.ts";
export { isHandle, judgeReply } from "./oracle/judge.ts";
export { exactMetadata } from "./reading/exact-numbers.ts";
export type { Problem, Reading } from "./reading/problem.ts";
export type { PythonValue } from "./reading/python-json.ts";
export { parsePythonJson } from "./reading/python-json.ts";
export type {
  ExecuteReading,
  OutputReading,
  ReplyKind,
  ReplyReadings,
  StatusReading,
  StatusWord,
} from "./reading/read-reply.ts";
export { readReply, replyKinds, statusWords } from "./reading/read-reply.ts";
export type { CheckedReference, CheckReferenceOptions } from "./reference/check-reference.ts";
export { checkReference } from "./reference/check-reference.ts";
export { createInlineReference, createReference } from "./reference/create-reference.ts";
export type { DataReference, Format, Protocol } from "./reference/data-reference.ts";
export {
  dataReferenceSchema,
  formats,
  isFormat,
  isProtocol,
  mediaTypeOf,
  protocols,
} from "./reference/data-reference.ts";
