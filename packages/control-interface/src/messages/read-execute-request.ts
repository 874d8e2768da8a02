import { checkReference } from "../reference/check-reference.ts";
import type { DataReference } from "../reference/data-reference.ts";
import { type ExecuteRequest, maxIdLength, type ValidationIssue } from "./messages.ts";

/** Deeper bodies are refused: nobody writes them, and they exhaust the stack of those who walk them. */
const maxDepth = 200;

/**
 * Reads the parsed body of POST /control/execute, with every objection at once (R-EXEC-01 to 03,
 * R-EXEC-12). Lenient where deployed peers are: unknown fields are ignored, a reference's optional
 * fields may be null, `metadata: null` is `{}`.
 */
export function readExecuteRequest(
  body: unknown,
): { request: ExecuteRequest; issues: [] } | { request?: undefined; issues: ValidationIssue[] } {
  if (!isObject(body)) {
    return { issues: [issue(["body"], "Input should be a valid dictionary", "model_attributes_type")] };
  }
  if (isDeeperThan(body, maxDepth)) {
    return { issues: [issue(["body"], `Expected at most ${maxDepth} levels of nesting`, "too_deep")] };
  }
  const issues: ValidationIssue[] = [];
  const text = (field: string) => {
    const value = own(body, field);
    if (value === undefined) issues.push(issue(["body", field], "Field required", "missing"));
    else if (typeof value !== "string") {
      issues.push(issue(["body", field], "Input should be a valid string", "string_type"));
    } else if (value === "") {
      issues.push(issue(["body", field], "String should have at least 1 character", "string_too_short"));
    } else if (field !== "method" && value.length > maxIdLength) {
      const msg = `String should have at most ${maxIdLength} characters (R-EXEC-17)`;
      issues.push(issue(["body", field], msg, "string_too_long"));
    }
    return value as string;
  };
  const request: ExecuteRequest = {
    method: text("method"),
    workflow_id: text("workflow_id"),
    task_id: text("task_id"),
    inputs: readInputs(own(body, "inputs"), issues) as ExecuteRequest["inputs"],
    parameters: readParameters(own(body, "parameters"), issues),
  };
  return issues.length > 0 ? { issues } : { request, issues: [] };
}

function readInputs(value: unknown, issues: ValidationIssue[]): DataReference[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    issues.push(issue(["body", "inputs"], "Input should be a valid list", "list_type"));
    return [];
  }
  return value.flatMap((input, index) => {
    const { reference, problems } = checkReference(input, { null_metadata: true });
    for (const { field, rule, message } of problems) {
      const loc = ["body", "inputs", index, ...(field === "" ? [] : [field])];
      issues.push(issue(loc, `${message} (${rule})`, "value_error"));
    }
    return reference === undefined ? [] : [reference];
  });
}

function readParameters(value: unknown, issues: ValidationIssue[]): Record<string, unknown> {
  if (value === undefined) return {};
  if (isObject(value)) return value;
  issues.push(issue(["body", "parameters"], "Input should be a valid dictionary", "dict_type"));
  return {};
}

function issue(loc: (string | number)[], msg: string, type: string): ValidationIssue {
  return { loc, msg, type };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** An own member only, so that a missing field never finds one of Object.prototype. */
function own(body: Record<string, unknown>, field: string): unknown {
  return Object.hasOwn(body, field) ? body[field] : undefined;
}

/** Recursive, but never deeper than the limit. */
function isDeeperThan(value: unknown, limit: number): boolean {
  if (value === null || typeof value !== "object") return false;
  if (limit === 0) return true;
  for (const key in value) {
    if (isDeeperThan((value as Record<string, unknown>)[key], limit - 1)) return true;
  }
  return false;
}
