import { ControlError, type DataReference, isProtocol } from "@aieffect/control-interface";
import * as z from "zod";
import type { Operation, Port } from "../operation.ts";

/** The parameters of a task, and the inputs that are data. */
export interface SortedInputs {
  parameters: Record<string, unknown>;
  data: DataReference[];
}

/**
 * Tells parameters from data (R-EXEC-03). The deployed orchestrator sends no parameters, so an
 * inline JSON object counts as some: where the operation declares its inputs, one that they do not
 * take is parameters alone; where it declares only parameters, it is parameters and data.
 * The request's own parameters win over those of inputs, later inputs over earlier ones.
 *
 * @throws ControlError `invalid_reference` when an input is not what the operation takes
 */
export function sortInputs(
  operation: Operation,
  inputs: readonly DataReference[],
  requested: Record<string, unknown>,
): SortedInputs {
  const data: DataReference[] = [];
  const found: Record<string, unknown> = {};
  for (const reference of inputs) {
    const port = portAt(operation.input, data.length);
    const isData = port === undefined || takes(port, reference);
    const isJson = reference.protocol === "inline" && reference.format === "json";
    const mayBeParameters = isJson && (port === undefined ? operation.parameters !== undefined : !isData);
    if (mayBeParameters) {
      const value = parseInline(reference, data.length);
      if (isObject(value)) Object.assign(found, value);
      else if (!isData) throw notTaken(port as Port, reference, data.length);
    } else if (!isData) throw notTaken(port as Port, reference, data.length);
    if (isData) data.push(reference);
  }
  return { parameters: { ...found, ...requested }, data };
}

/** Checks the parameters and fills in defaults. @throws ControlError `invalid_request` naming each one that is wrong */
export function parseParameters<P>(operation: Operation<P>, parameters: Record<string, unknown>): P {
  if (operation.parameters === undefined) return parameters as P;
  const parsed = operation.parameters.safeParse(parameters);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join(".")}: ${message}` : message,
  );
  throw new ControlError(
    "invalid_request",
    `Invalid parameters of ${operation.name}. ${problems.join("; ")}`,
    {
      cause: parsed.error,
    },
  );
}

/** What the parameters look like, for callers (R-OPS-01). */
export function describeParameters({ parameters }: Operation): Record<string, unknown> {
  if (parameters === undefined) return { type: "object" };
  const { $schema: _, ...schema } = z.toJSONSchema(parameters, { io: "input", unrepresentable: "any" });
  return schema;
}

/** The declared ports, one per input or one for all. */
export function portsOf(input: Operation["input"]): readonly Port[] {
  if (input === undefined) return [];
  return Array.isArray(input) ? (input as readonly Port[]) : [input as Port];
}

/** The last declared port of a list stands for what comes after it only when the list is a single port. */
function portAt(input: Operation["input"], index: number): Port | undefined {
  if (input === undefined) return undefined;
  if (!Array.isArray(input)) return input as Port;
  return (
    (input as readonly Port[])[index] ?? { protocols: [], formats: ["none: no further input is expected"] }
  );
}

function takes({ protocols = [], formats = [] }: Port, { protocol, format }: DataReference): boolean {
  const protocolFits = protocols.length === 0 || (isProtocol(protocol) && protocols.includes(protocol));
  return protocolFits && (formats.length === 0 || formats.includes(format));
}

function parseInline({ uri }: DataReference, index: number): unknown {
  // A byte order mark is no JSON, but peers on Windows write it.
  const text = Buffer.from(uri, "base64")
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ControlError(
      "invalid_reference",
      `Expected input ${index + 1}, inline and of format json, to be JSON. ${(cause as Error).message}`,
      { cause },
    );
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function notTaken(
  { protocols = [], formats = [] }: Port,
  reference: DataReference,
  index: number,
): ControlError {
  const expected = [
    ...(protocols.length > 0 ? [`protocol ${protocols.join(" or ")}`] : []),
    ...(formats.length > 0 ? [`format ${formats.join(" or ")}`] : []),
  ];
  return new ControlError(
    "invalid_reference",
    `Expected input ${index + 1} to have ${expected.join(" and ")}, found ${reference.protocol} and ${reference.format}`,
  );
}
