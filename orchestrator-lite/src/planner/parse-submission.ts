import { ControlError, type DataReference, type ValidationIssue } from "@aieffect/control-interface";
import * as z from "zod";
import { failureClasses } from "../core/failure.ts";
import { isTooDeep, limits } from "./limits.ts";
import { checkShape, type ShapeProblem } from "./shape.ts";

const object = z.custom<Record<string, unknown>>(
  (value) => value !== null && typeof value === "object" && !Array.isArray(value),
  "an object",
);
const longest_s = 30 * 24 * 3600;
const seconds = z.number().gt(0).max(longest_s);

const nodeOptions = z.strictObject({
  timeout_s: seconds.optional(),
  retry: z
    .strictObject({
      attempts: z.int().min(1).max(100).optional(),
      backoff_s: z.number().min(0).max(3600).optional(),
      on: z.array(z.enum(failureClasses)).optional(),
    })
    .optional(),
});

const submissionSchema = z.strictObject({
  blueprint: object,
  dockerinfo: object,
  inputs: z.array(z.unknown()).default([]),
  services_api_key: z
    .string()
    .max(4096)
    // Anything else cannot stand in a header.
    .regex(/^[\x21-\x7e]*$/, "visible ASCII characters")
    .nullish(),
  parameters: z.record(z.string(), object).default({}),
  nodes: z.record(z.string(), nodeOptions).default({}),
  timeout_s: seconds.nullish(),
  correlation_id: z.string().min(1).max(256).nullish(),
  labels: z.record(z.string().max(256), z.string().max(256)).default({}),
});

/** What a program hands in; the HTTP body has the same members. */
export interface Submission {
  /** The blueprint as parsed JSON. */
  blueprint: unknown;
  /** The dockerinfo as parsed JSON. */
  dockerinfo: unknown;
  /** Inputs of every start node. @default [] */
  inputs?: readonly DataReference[];
  /** Sent to every service as bearer token; forgotten when the workflow ends. @default none */
  services_api_key?: string | null;
  /** Parameters by node key (`container:operation`). */
  parameters?: Readonly<Record<string, Record<string, unknown>>>;
  /** Time limits and retries by node key. */
  nodes?: Readonly<Record<string, NodeOptions>>;
  /** Time limit of the whole workflow in seconds. @default the orchestrator's */
  timeout_s?: number | null;
  /** Your name for it; every log line about it has it, here and in the services (R-LOG-02). */
  correlation_id?: string | null;
  labels?: Readonly<Record<string, string>>;
}

/** What a submission can say about one node. */
export type NodeOptions = z.infer<typeof nodeOptions>;
/** A submission whose shape is right; its documents are not looked into yet. */
export type ParsedSubmission = z.infer<typeof submissionSchema>;

/** Reads the shape of a submission. @throws ControlError `invalid_request` with every issue in `detail` */
export function parseSubmission(value: unknown): ParsedSubmission {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw invalid([issue([], "Input should be a valid dictionary", "dict_type")]);
  }
  if (isTooDeep(value)) {
    throw invalid([issue([], `Expected at most ${limits.depth} levels of nesting`, "too_deep")]);
  }
  const shape = checkShape(submissionSchema, value);
  if (shape.value === undefined) throw invalid(shape.problems.map((problem) => toIssue(problem, value)));
  return shape.value;
}

/** A 422 with its issues. */
export function invalid(issues: ValidationIssue[]): ControlError {
  const text = issues.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ");
  return new ControlError("invalid_request", `Invalid submission: ${text}`, { detail: issues });
}

/** Known validators' words for the usual cases, so that clients of the deployed API find what they know. */
function toIssue({ path, kind, message }: ShapeProblem, root: object): ValidationIssue {
  if (kind === "missing") return issue(path, "Field required", "missing");
  if (kind === "unknown") return issue(path, "Extra inputs are not permitted", "extra_forbidden");
  const [field = ""] = path;
  if (field === "services_api_key") {
    // Never with the value that was found.
    return issue(path, "Expected a text of at most 4096 visible ASCII characters, or null", "value_error");
  }
  const topLevel = path.length === 1 && Object.hasOwn(root, field);
  if (topLevel && field === "inputs") return issue(path, "Input should be a valid list", "list_type");
  if (topLevel && ["blueprint", "dockerinfo", "parameters", "nodes", "labels"].includes(String(field))) {
    return issue(path, "Input should be a valid dictionary", "dict_type");
  }
  return issue(path, message.replace(/^e/, "E"), "value_error");
}

function issue(path: (string | number)[], msg: string, type: string): ValidationIssue {
  return { loc: ["body", ...path], msg, type };
}
