import type * as z from "zod";

/** A place in a document where its shape is not the expected one. */
export interface ShapeProblem {
  path: (string | number)[];
  kind: "missing" | "unknown" | "invalid";
  /** What was expected and what was found. */
  message: string;
}

/** Checks a value's shape; every problem at once. */
export function checkShape<T>(
  schema: z.ZodType<T>,
  value: unknown,
): { value: T; problems: [] } | { value?: undefined; problems: ShapeProblem[] } {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data, problems: [] };
  return { problems: parsed.error.issues.flatMap((issue) => toShapeProblems(issue, value)) };
}

/** `nodes[0].operation_signature_list[1]`, as a person would write it. */
export function toPathText(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    if (!/^[A-Za-z_$][\w$-]*$/.test(step)) return `${text}[${showValue(step)}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

/** A found value, short enough to print. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value !== null && typeof value === "object") return "an object";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function toShapeProblems(issue: z.core.$ZodIssue, root: unknown): ShapeProblem[] {
  const path = issue.path.filter((step) => typeof step !== "symbol");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], kind: "unknown", message: "unknown key" }));
  }
  const found = valueAt(root, path);
  if (found === undefined) return [{ path, kind: "missing", message: "required, found nothing" }];
  return [{ path, kind: "invalid", message: `expected ${expectedBy(issue)}, found ${showValue(found)}` }];
}

function expectedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return articled[issue.expected] ?? issue.expected;
  if (issue.code === "too_small" && (issue.origin === "string" || issue.origin === "array")) {
    return issue.minimum === 1 ? "something that is not empty" : `at least ${issue.minimum}`;
  }
  if (issue.code === "too_small") return `${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
  if (issue.code === "too_big") return `at most ${issue.maximum}`;
  if (issue.code === "invalid_value") return `one of ${issue.values.join(", ")}`;
  return issue.message;
}

const articled: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      value !== null && typeof value === "object" && Object.hasOwn(value, step)
        ? (value as Record<string | number, unknown>)[step]
        : undefined,
    root,
  );
}
