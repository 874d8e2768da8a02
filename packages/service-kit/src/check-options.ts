import { protocols } from "@aieffect/control-interface";
import type { Operation, Port } from "./operation.ts";
import type { DataPlane } from "./planes/data-plane.ts";

const operationKeys = ["name", "style", "sink", "input", "output", "parameters", "allow_empty_csv", "run"];

/** Checks what TypeScript would, for those who write JavaScript. @throws TypeError naming the operation and the mistake */
export function assertOperations(operations: readonly Operation[]): void {
  if (!Array.isArray(operations) || operations.length === 0) {
    throw new TypeError(
      "Expected operations to be a list of at least one operation, as in { operations: [mean] }",
    );
  }
  const names = new Set<string>();
  for (const operation of operations) {
    assertOperation(operation);
    if (names.has(operation.name)) {
      throw new TypeError(`Expected operations to have different names, got ${operation.name} twice`);
    }
    names.add(operation.name);
  }
}

function assertOperation(operation: Operation): void {
  const { name, run, style, input, output, parameters } = operation;
  if (typeof name !== "string" || name === "")
    throw new TypeError(`Expected an operation's name, got "${name}"`);
  assertKeys(`operation ${name}`, operation, operationKeys);
  if (typeof run !== "function") throw new TypeError(`Expected operation ${name} to have a function run`);
  if (style !== undefined && style !== "sequential" && style !== "concurrent") {
    throw new TypeError(`Expected the style of ${name} to be "sequential" or "concurrent", got "${style}"`);
  }
  for (const port of Array.isArray(input) ? input : [input]) assertPort(`the input of ${name}`, port);
  assertPort(`the output of ${name}`, output);
  if (parameters !== undefined && typeof parameters.safeParse !== "function") {
    throw new TypeError(
      `Expected the parameters of ${name} to be a zod schema, as in z.object({ column: z.string() })`,
    );
  }
}

function assertPort(what: string, port: Port | undefined): void {
  if (port === undefined) return;
  assertKeys(what, port, ["protocols", "formats"]);
  for (const [key, list] of Object.entries(port)) {
    if (list !== undefined && !Array.isArray(list))
      throw new TypeError(`Expected ${key} of ${what} to be a list, got ${list}`);
  }
  const odd = port.protocols?.find((protocol) => !protocols.includes(protocol));
  if (odd !== undefined)
    throw new TypeError(`Expected protocols of ${what} out of ${protocols.join(", ")}, got "${odd}"`);
  const upper = port.formats?.find(
    (format) => /^(json|csv|parquet|protobuf|binary|xml)$/i.test(format) && format !== format.toLowerCase(),
  );
  if (upper !== undefined)
    throw new TypeError(`Expected formats of ${what} in lower case, got "${upper}" (R-REF-10)`);
}

/** Checks that planes are such. @throws TypeError */
export function assertPlanes(planes: readonly DataPlane[]): void {
  const isPlane = (plane: DataPlane) =>
    [plane?.start, plane?.forget, plane?.stop].every((method) => typeof method === "function");
  if (Array.isArray(planes) && planes.every(isPlane)) return;
  throw new TypeError(
    "Expected planes to be a list of data planes, as createProtobufPlane() gives, in { planes: [plane] }",
  );
}

/** A misspelled option would be ignored in silence. */
export function assertKeys(what: string, given: object, known: readonly string[]): void {
  const odd = Object.keys(given).find((key) => !known.includes(key));
  if (odd === undefined) return;
  throw new TypeError(`Expected ${what} to have only ${known.join(", ")}; got ${odd}`);
}
