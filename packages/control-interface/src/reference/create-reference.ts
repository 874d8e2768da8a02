import { ControlError } from "../errors/control-error.ts";
import { checkReference } from "./check-reference.ts";
import type { DataReference } from "./data-reference.ts";

/**
 * Builds a DataReference, strictly (R-REF-17): what the deployed orchestrator rejects, and what it
 * accepts but nobody could resolve (s3 without a key, grpc without a port), is refused.
 * Absent fields stay absent; `metadata` is `{}` unless given.
 *
 * @throws ControlError `invalid_reference`, whose message names every broken rule
 */
export function createReference(fields: DataReference): DataReference {
  const odd = findNonJson(fields?.metadata, "metadata");
  if (odd !== undefined) throw invalid([`Expected ${odd} to be plain JSON (R-REF-14)`]);
  const { reference, problems } = checkReference(fields);
  const found = problems.map(({ message, rule }) => `${message} (${rule})`);
  if (reference !== undefined) found.push(...unresolvable(reference));
  if (reference === undefined || found.length > 0) throw invalid(found);
  return reference;
}

function invalid(found: string[]): ControlError {
  return new ControlError("invalid_reference", `Invalid DataReference. ${found.join("; ")}`);
}

const maxDepth = 100;

/** Where a value stops being what JSON can carry unchanged: dates, maps, big integers, NaN, cycles. */
function findNonJson(value: unknown, path: string, depth = 0): string | undefined {
  if (value === null || value === undefined || typeof value === "string" || typeof value === "boolean")
    return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : path;
  if (typeof value !== "object" || depth > maxDepth) return path;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return path;
  for (const [key, member] of Object.entries(value)) {
    const found = findNonJson(member, `${path}.${key}`, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An inline reference to these bytes (R-REF-04). @throws ControlError when there are none */
export function createInlineReference(
  payload: Uint8Array | string,
  format: DataReference["format"],
  fields: Partial<Pick<DataReference, "schema_uri" | "metadata" | "checksum">> = {},
): DataReference {
  const bytes = Buffer.from(payload as Uint8Array);
  return createReference({
    protocol: "inline",
    uri: bytes.toString("base64"),
    format,
    size_bytes: bytes.length,
    ...fields,
  });
}

/** What reading lets pass but no downstream service could reach. */
function unresolvable({ protocol, uri }: DataReference): string[] {
  if (protocol === "s3" && !/^s3:\/\/[^/]+\/.+$/.test(uri)) {
    return [`Expected s3://bucket/key, found ${uri} (R-REF-06)`];
  }
  if (protocol === "grpc" && !/^(\[[0-9A-Fa-f:.]+\]|[^\s:/]+):[0-9]{1,5}$/.test(uri)) {
    return [`Expected host:port for grpc, found ${uri} (R-REF-09)`];
  }
  if ((protocol === "http" || protocol === "https") && !URL.canParse(uri)) {
    return [`Expected a complete URL, found ${uri} (R-REF-05)`];
  }
  if (protocol === "nfs" && !/^[^:]+:.+$/.test(uri))
    return [`Expected host:path for nfs, found ${uri} (R-REF-07)`];
  return [];
}
