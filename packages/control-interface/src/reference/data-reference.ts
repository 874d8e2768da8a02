import * as z from "zod";
import { contractSchemas } from "../messages/registry.ts";

/** The nine ways in which a payload can be reached (R-REF-02). */
export const protocols = ["inline", "file", "http", "https", "s3", "nfs", "mqtt", "grpc", "villas"] as const;
export type Protocol = (typeof protocols)[number];

/** The six payload formats that the deployed orchestrator takes (R-REF-10). */
export const formats = ["json", "csv", "parquet", "protobuf", "binary", "xml"] as const;
export type Format = (typeof formats)[number];

const mediaTypes: Record<Format, string> = {
  csv: "text/csv",
  json: "application/json",
  parquet: "application/vnd.apache.parquet",
  xml: "application/xml",
  protobuf: "application/octet-stream",
  binary: "application/octet-stream",
};

/** The media type a payload of this format is sent with (R-DATA-02). */
export function mediaTypeOf(format: string): string {
  return isFormat(format) ? mediaTypes[format] : "application/octet-stream";
}

export function isProtocol(value: unknown): value is Protocol {
  return protocols.includes(value as Protocol);
}

export function isFormat(value: unknown): value is Format {
  return formats.includes(value as Format);
}

/** The shape of a DataReference on the wire. What its parts may hold together: `checkReference`. */
export const dataReferenceSchema = z
  .object({
    protocol: z.enum(protocols).describe("How the payload is reached"),
    uri: z.string().min(1).describe("Where the payload is; base64 of the bytes for inline"),
    format: z.string().describe(`One of ${formats.join(", ")}; for grpc the name of the RPC`),
    schema_uri: z.string().nullish().describe("Where the payload's schema is described"),
    size_bytes: z.int().min(0).nullish().describe("Size of the payload in bytes"),
    checksum: z
      .string()
      .regex(/^[^:]+:[\s\S]+$/)
      .nullish()
      .describe("algorithm:value, e.g. sha256:<hex>"),
    metadata: z.record(z.string(), z.unknown()).optional().describe("Anything else; travels unchanged"),
  })
  .register(contractSchemas, {
    id: "DataReference",
    description: "A small pointer to a payload (R-REF-01 to R-REF-18)",
  });

/** A small pointer to a payload; the payload itself never passes the orchestrator. */
export interface DataReference {
  /** How the payload is reached. */
  protocol: Protocol;
  /** Where it is; for `inline` the bytes themselves in base64. */
  uri: string;
  /** One of {@link formats}; for `grpc` the RPC's name. */
  format: string;
  schema_uri?: string | null;
  /** Size in bytes. */
  size_bytes?: number | null;
  /** `algorithm:value`; ours write `sha256:<hex>`. */
  checksum?: string | null;
  /** Travels unchanged to the next service. */
  metadata?: Record<string, unknown>;
}
