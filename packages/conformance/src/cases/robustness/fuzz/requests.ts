import type { Arbitrary } from "fast-check";
import type { FastCheck } from "./disprove.ts";

/** The body of a call to execute, right or wrong. */
export type FuzzedRequest = Readonly<Record<string, unknown>>;

/**
 * Requests that are like the template in some of their members, and anything in others.
 * @param method what most of them ask for: one that does nothing
 */
export function fuzzedRequests(
  fc: FastCheck,
  template: FuzzedRequest,
  method: string,
): Arbitrary<FuzzedRequest> {
  // Every character but lone surrogates, which R01 has; the unit "binary" takes seconds to build.
  const unit = fc
    .oneof(
      fc.integer({ min: 0, max: 0x7f }),
      fc.integer({ min: 0x80, max: 0xd7ff }),
      fc.integer({ min: 0xe000, max: 0x10ffff }),
    )
    .map((code) => String.fromCodePoint(code));
  const anyText = fc.string({ unit });
  const text = fc.oneof(fc.string(), anyText, fc.string({ unit: "grapheme" }));
  const value = fc.oneof(
    fc.jsonValue(),
    fc.integer(),
    fc.constantFrom<unknown>(-1, 0, "", null, [], {}, true),
    anyText,
  );
  const members = fc.dictionary(fc.string(), value, { noNullPrototype: true, maxKeys: 5 });
  const usual = (name: string) => fc.constant(template[name]);
  const reference = fc.record(
    {
      protocol: fc.oneof(fc.constantFrom("inline", "http", "file", "s3", "grpc"), value),
      uri: fc.oneof(fc.constantFrom("e30=", "http://127.0.0.1:9/x.csv", "/none.csv", ""), value),
      format: fc.oneof(fc.constantFrom("json", "csv", "JSON"), value),
      size_bytes: value,
      checksum: value,
      metadata: fc.oneof(members, value),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  const known = fc.record(
    {
      method: fc.oneof(
        { weight: 6, arbitrary: fc.constant(method as unknown) },
        { weight: 2, arbitrary: usual("method") },
        { weight: 1, arbitrary: text },
        { weight: 1, arbitrary: value },
      ),
      workflow_id: fc.oneof({ weight: 4, arbitrary: usual("workflow_id") }, text, value),
      task_id: fc.oneof({ weight: 4, arbitrary: usual("task_id") }, text, value),
      inputs: fc.oneof(
        { weight: 3, arbitrary: usual("inputs") },
        { weight: 2, arbitrary: fc.array(reference, { maxLength: 3 }) },
        value,
      ),
      parameters: fc.oneof(
        { weight: 2, arbitrary: usual("parameters") },
        { weight: 3, arbitrary: members },
        value,
      ),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  return fc
    .tuple(known, fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, members))
    .map(([request, others]) => ({ ...others, ...withoutUndefined(request) }));
}

function withoutUndefined(request: FuzzedRequest): FuzzedRequest {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
}

/** Why a request is not valid (R-EXEC-01 to 03), whatever made it; undefined where it is, or may be taken for it. */
export function invalidity(request: FuzzedRequest): string | undefined {
  for (const name of ["method", "workflow_id", "task_id"]) {
    const value = request[name];
    if (value === undefined) return `${name} is missing`;
    if (typeof value !== "string") return `${name} is no text`;
    if (value === "") return `${name} is empty`;
  }
  const { inputs, parameters } = request;
  // Many take null for nothing.
  if (inputs != null && !Array.isArray(inputs)) return "inputs is no list";
  if (parameters != null && (typeof parameters !== "object" || Array.isArray(parameters))) {
    return "parameters is no object";
  }
  return undefined;
}
