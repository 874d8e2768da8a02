import { maxIdLength } from "../messages/messages.ts";
import { formats } from "../reference/data-reference.ts";
import { createJsonSchemas, type JsonSchema } from "./json-schemas.ts";

/** What differs from service to service in the description of the same interface. */
export interface OpenApiOptions {
  /** @default "AI-Effect Control Interface" */
  title?: string;
  /** @default "1.0.0" */
  version?: string;
  /** Names of the service's operations; become the allowed values of `method`. @default any */
  methods?: readonly string[];
  /** A bearer key is needed (R-AUTH-01). @default false */
  secured?: boolean;
  /** Files can be uploaded (R-UP-01). @default true */
  uploads?: boolean;
}

/** An OpenAPI 3.1 document. */
export interface OpenApi {
  openapi: "3.1.0";
  info: {
    title: string;
    version: string;
    description: string;
    license: { name: string; identifier: string };
  };
  paths: Record<string, Record<string, OpenApiOperation>>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes?: JsonSchema };
}

/** One operation of an OpenAPI document. */
export interface OpenApiOperation {
  operationId: string;
  summary: string;
  description?: string;
  parameters?: JsonSchema[];
  requestBody?: JsonSchema;
  responses: Record<string, JsonSchema>;
  security?: Record<string, never[]>[];
}

/** Describes the control interface of a service, from the same schemas that check the messages. */
export function createOpenApi(options: OpenApiOptions = {}): OpenApi {
  const { title = "AI-Effect Control Interface", version = "1.0.0", methods } = options;
  const { secured = false, uploads = true } = options;
  const schemas = createJsonSchemas((id) => `#/components/schemas/${id}`);
  const paths = describePaths();
  if (!uploads) delete paths["/control/data"];
  const request = schemas.ExecuteRequest as { properties: { method: JsonSchema } };
  if (methods !== undefined) request.properties.method = { ...request.properties.method, enum: [...methods] };
  if (secured) securePaths(paths);
  return {
    openapi: "3.1.0",
    info: {
      title,
      version,
      description: "What an orchestrator and a service say to each other: commands and small DataReferences.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths,
    components: {
      schemas,
      ...(secured && { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } }),
    },
  };
}

function describePaths(): OpenApi["paths"] {
  return {
    "/control/execute": {
      post: {
        operationId: "execute",
        summary: "Start an operation",
        description:
          "Answers 200 whatever became of the operation: complete, running (poll with its task_id) or failed.",
        parameters: [
          header(
            "Prefer",
            "wait=N: seconds to wait for the end of a concurrent operation, at most 25 (R-WAIT-03)",
          ),
          header("Idempotency-Key", "Makes it safe to send the same request again (R-IDEM-01)"),
          header("traceparent", "W3C trace context, continued on outgoing calls (R-TRACE-01)"),
          header("X-Correlation-Id", "The caller's name for it, in every log line about the task (R-LOG-02)"),
        ],
        requestBody: { required: true, content: json("ExecuteRequest") },
        responses: {
          200: answer("What became of it", "ExecuteResponse"),
          400: answer("No such operation (R-EXEC-13)", "ErrorResponse"),
          413: answer("The body is larger than the limit (R-EXEC-14)", "ErrorResponse"),
          422: answer("A field is missing or of the wrong type (R-EXEC-12)", "ValidationError"),
          503: answer("The queue is full (R-EXEC-15)", "ErrorResponse"),
        },
      },
    },
    "/control/status/{id}": {
      get: {
        operationId: "status",
        summary: "How a task is doing",
        description: "With Accept: text/event-stream, a stream of its changes (R-EVT-01).",
        parameters: [
          idParameter,
          header("Prefer", "wait=N: seconds to wait for a change, at most 25 (R-WAIT-01)"),
        ],
        responses: { 200: answer("Its status", "StatusResponse"), 404: taskNotFound },
      },
    },
    "/control/output/{id}": {
      get: {
        operationId: "output",
        summary: "The output of a complete task",
        parameters: [idParameter],
        responses: {
          200: answer("A reference to it", "OutputResponse"),
          400: answer("Task not complete (R-OUT-02)", "ErrorResponse"),
          404: taskNotFound,
        },
      },
    },
    "/control/data": {
      post: {
        operationId: "upload",
        summary: "Upload a file",
        description:
          "Stores one file and answers with its reference, which execute takes as an input. Its id is answered like a complete task's (R-UP-02).",
        parameters: [header("Idempotency-Key", "Makes it safe to send the same upload again (R-IDEM-01)")],
        requestBody: { required: true, content: { "multipart/form-data": { schema: uploadForm } } },
        responses: {
          201: {
            ...answer("A reference to what was stored", "DataReference"),
            headers: { Location: { description: "Where its bytes are", schema: { type: "string" } } },
          },
          408: answer("Nothing came for too long", "ErrorResponse"),
          413: answer("The file is larger than the limit (R-UP-04)", "ErrorResponse"),
          415: answer("Not multipart/form-data (R-UP-01)", "ErrorResponse"),
          422: answer("A field is missing or wrong, or the checksum differs (R-UP-04)", "ValidationError"),
          503: answer("The service is stopping", "ErrorResponse"),
          507: answer("The disk is full (R-UP-04)", "ErrorResponse"),
        },
      },
    },
    "/control/data/{id}": {
      get: {
        operationId: "data",
        summary: "The payload of a complete task",
        parameters: [
          idParameter,
          header("Range", "bytes=A-B: that part alone (R-DATA-05)"),
          header("If-Range", "an ETag: the part only of the same bytes, else the whole (R-DATA-06)"),
          header("If-None-Match", "ETags: 304 when the bytes are the same"),
        ],
        responses: {
          200: {
            description: "The bytes, with the media type of their format (R-DATA-02)",
            content: { "*/*": {} },
          },
          206: { description: "The part that was asked for", content: { "*/*": {} } },
          304: { description: "The bytes are those of If-None-Match" },
          400: answer("Task not complete", "ErrorResponse"),
          404: taskNotFound,
          416: answer("The range begins behind the end of the payload", "ErrorResponse"),
        },
      },
    },
    "/control/cancel/{id}": {
      post: {
        operationId: "cancel",
        summary: "Stop a task",
        parameters: [idParameter],
        responses: {
          200: answer("It had ended already (R-CANCEL-02)", "StatusResponse"),
          202: answer("It is failed with the error Cancelled (R-CANCEL-01)", "StatusResponse"),
          404: taskNotFound,
        },
      },
    },
    "/control/operations": {
      get: {
        operationId: "operations",
        summary: "What the service can do",
        responses: { 200: answer("Its operations and extensions (R-OPS-01)", "OperationsResponse") },
      },
    },
    "/health": {
      get: {
        operationId: "health",
        summary: "Whether the service lives",
        responses: { 200: answer("It does", "HealthResponse") },
      },
    },
  };
}

/** The form of an upload (R-UP-01). */
const uploadForm: JsonSchema = {
  type: "object",
  required: ["file"],
  additionalProperties: false,
  properties: {
    file: {
      type: "string",
      contentMediaType: "application/octet-stream",
      description: "The file, with a file name; exactly one",
    },
    format: {
      type: "string",
      enum: [...formats],
      description: "Its format; needed where neither its name's ending nor its media type tells (R-UP-03)",
    },
    checksum: {
      type: "string",
      pattern: "^[^:]+:[\\s\\S]+$",
      description: "algorithm:value, e.g. sha256:<hex>; a file with another one is refused",
    },
    workflow_id: {
      type: "string",
      maxLength: maxIdLength,
      description: 'The workflow that it is kept under; "uploads" unless given',
    },
    task_id: {
      type: "string",
      maxLength: maxIdLength,
      description: "The task that it is kept under; a new id unless given",
    },
    metadata: {
      type: "string",
      contentMediaType: "application/json",
      description: "A JSON object that travels with the reference; filename is added",
    },
  },
};

function json(schema: string) {
  return { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } };
}

function answer(description: string, schema: string): JsonSchema {
  return { description, content: json(schema) };
}

const taskNotFound = answer("Task not found (R-STAT-04)", "ErrorResponse");

const idParameter: JsonSchema = {
  name: "id",
  in: "path",
  required: true,
  description: "The handle that running answered with, or the raw task_id",
  schema: { type: "string" },
};

function header(name: string, description: string): JsonSchema {
  return { name, in: "header", required: false, description, schema: { type: "string" } };
}

function securePaths(paths: OpenApi["paths"]): void {
  for (const [path, operations] of Object.entries(paths)) {
    if (path === "/health") continue;
    for (const operation of Object.values(operations)) {
      operation.security = [{ bearer: [] }];
      operation.responses[401] = answer("Token missing or wrong (R-AUTH-01)", "ErrorResponse");
    }
  }
}
