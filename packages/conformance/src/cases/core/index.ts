import { health } from "./c01-health.ts";
import { orchestratorBytes } from "./c02-orchestrator-bytes.ts";
import { unknownFields } from "./c03-unknown-fields.ts";
import { parameters } from "./c04-parameters.ts";
import { responseShape } from "./c05-response-shape.ts";
import { unknownMethod } from "./c06-unknown-method.ts";
import { invalidRequest } from "./c07-invalid-request.ts";
import { failureIsString } from "./c08-failure-is-string.ts";
import { inDeadline } from "./c09-in-deadline.ts";
import { noRedirect } from "./c10-no-redirect.ts";
import { methodAndPath } from "./c11-method-and-path.ts";
import { unknownId } from "./c12-unknown-id.ts";
import { connectionReuse } from "./c13-connection-reuse.ts";

export const coreCases = [
  health,
  orchestratorBytes,
  unknownFields,
  parameters,
  responseShape,
  unknownMethod,
  invalidRequest,
  failureIsString,
  inDeadline,
  noRedirect,
  methodAndPath,
  unknownId,
  connectionReuse,
];
