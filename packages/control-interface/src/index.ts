export { ControlClient } from "./client/control-client.ts";
export type {
  CallOptions,
  ControlClientOptions,
  ExecuteCall,
  ExecuteOptions,
  StatusAnswer,
} from "./client/control-client.ts";
export { ControlError, toControlError } from "./errors/control-error.ts";
export type { ControlErrorCode, ControlErrorOptions } from "./errors/control-error.ts";
export { createHostPolicy } from "./hosts/host-policy.ts";
export type { HostPolicy, HostPolicyOptions } from "./hosts/host-policy.ts";
export { canonicalJson } from "./json/canonical-json.ts";
export {
  errorResponseSchema,
  executeRequestSchema,
  executeResponseSchema,
  extensions,
  healthResponseSchema,
  operationsResponseSchema,
  outputResponseSchema,
  statusResponseSchema,
  validationErrorSchema,
  validationIssueSchema,
} from "./messages/messages.ts";
export type {
  ExecuteRequest,
  ExecuteResponse,
  OperationsResponse,
  OutputResponse,
  StatusResponse,
  ValidationIssue,
} from "./messages/messages.ts";
export { readExecuteRequest } from "./messages/read-execute-request.ts";
export { isHandle, judgeReply } from "./oracle/judge.ts";
export type { Outcome, Reply, Verdict } from "./oracle/judge.ts";
export type { Problem, Reading } from "./reading/problem.ts";
export { parsePythonJson } from "./reading/python-json.ts";
export type { PythonValue } from "./reading/python-json.ts";
export { readReply, replyKinds, statusWords } from "./reading/read-reply.ts";
export type {
  ExecuteReading,
  OutputReading,
  ReplyKind,
  ReplyReadings,
  StatusReading,
  StatusWord,
} from "./reading/read-reply.ts";
export { checkReference } from "./reference/check-reference.ts";
export type { CheckedReference, CheckReferenceOptions } from "./reference/check-reference.ts";
export { createInlineReference, createReference } from "./reference/create-reference.ts";
export {
  dataReferenceSchema,
  formats,
  isFormat,
  isProtocol,
  mediaTypeOf,
  protocols,
} from "./reference/data-reference.ts";
export type { DataReference, Format, Protocol } from "./reference/data-reference.ts";
