import * as z from "zod";
import { statusWords } from "../reading/read-reply.ts";
import { dataReferenceSchema, formats, protocols } from "../reference/data-reference.ts";
import { contractSchemas } from "./registry.ts";

const name = (what: string) => z.string().min(1).describe(what);
const id = (what: string) => z.string().min(1).max(maxIdLength).describe(what);

/** Longer ids are refused: they are kept and logged with every task (R-EXEC-17). */
export const maxIdLength = 1024;

/** What an orchestrator asks a service to do: the body of POST /control/execute (R-EXEC-01 to 03). */
export const executeRequestSchema = z
  .object({
    method: name("The operation's name"),
    workflow_id: id("The workflow this belongs to"),
    task_id: id("The orchestrator's name for the task; two workflows may send the same one"),
    inputs: z.array(dataReferenceSchema).default([]).describe("What the operation works on"),
    parameters: z.record(z.string(), z.unknown()).default({}).describe("Options of the operation"),
  })
  .register(contractSchemas, { id: "ExecuteRequest" });
export type ExecuteRequest = z.output<typeof executeRequestSchema>;

const progress = z.int().min(0).max(100);

const retryable = z
  .boolean()
  .optional()
  .describe("The task was lost; sending it again makes sense (R-LOST-01)");

/** The answer to execute (R-EXEC-04 to 11). */
export const executeResponseSchema = z
  .discriminatedUnion("status", [
    z.object({ status: z.literal("complete"), output: dataReferenceSchema.nullable() }),
    z.object({
      status: z.literal("running"),
      task_id: z
        .string()
        .regex(/^[A-Za-z0-9_.:-]{1,256}$/)
        .describe("The handle to poll with"),
    }),
    z.object({ status: z.literal("failed"), error: z.string().min(1), retryable }),
  ])
  .register(contractSchemas, { id: "ExecuteResponse" });
export type ExecuteResponse = z.output<typeof executeResponseSchema>;

/** The answer to status (R-STAT-01 to 03); what stands beside the three fields is an addition. */
export const statusResponseSchema = z
  .object({
    status: z.enum(statusWords),
    progress,
    error: z.string().nullable(),
    message: z.string().optional().describe("What the operation says it is doing"),
    retryable,
  })
  .register(contractSchemas, { id: "StatusResponse" });
export type StatusResponse = z.output<typeof statusResponseSchema>;

/** The answer to output (R-OUT-01). */
export const outputResponseSchema = z
  .object({ output: dataReferenceSchema })
  .register(contractSchemas, { id: "OutputResponse" });
export type OutputResponse = z.output<typeof outputResponseSchema>;

/** The answer to health (R-HEALTH-01). */
export const healthResponseSchema = z
  .object({ status: z.literal("ok") })
  .register(contractSchemas, { id: "HealthResponse" });

/** Every error that is not a result (R-GEN-04). */
export const errorResponseSchema = z
  .object({ detail: z.string() })
  .register(contractSchemas, { id: "ErrorResponse" });

/** One objection of a 422 (R-EXEC-12). */
export const validationIssueSchema = z
  .object({
    loc: z.array(z.union([z.string(), z.int()])).describe('Where, beginning with "body"'),
    msg: z.string(),
    type: z.string(),
  })
  .register(contractSchemas, { id: "ValidationIssue" });
export type ValidationIssue = z.output<typeof validationIssueSchema>;

/** The body of a 422 (R-EXEC-12). */
export const validationErrorSchema = z
  .object({ detail: z.array(validationIssueSchema) })
  .register(contractSchemas, { id: "ValidationError" });

/** What an operation takes or gives, as far as it says so. Empty lists mean: anything. */
const portSchema = z.object({
  protocols: z.array(z.enum(protocols)),
  formats: z.array(z.string().describe(`One of ${formats.join(", ")}, or an RPC's name for grpc`)),
});

/** The additions of Part B that a service can declare. */
export const extensions = ["wait", "events", "idempotency", "cancel", "ranges", "upload"] as const;

/** The answer to GET /control/operations (R-OPS-01). */
export const operationsResponseSchema = z
  .object({
    operations: z.array(
      z.object({
        name: z.string(),
        style: z.enum(["sequential", "concurrent"]),
        sink: z.boolean().describe("Completes without an output"),
        parameters: z.record(z.string(), z.unknown()).describe("JSON Schema of the parameters"),
        inputs: z.array(portSchema),
        output: portSchema,
      }),
    ),
    extensions: z.array(z.enum(extensions)),
  })
  .register(contractSchemas, { id: "OperationsResponse" });
export type OperationsResponse = z.output<typeof operationsResponseSchema>;
