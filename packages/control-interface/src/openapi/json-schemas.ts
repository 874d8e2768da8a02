import * as z from "zod";
import { contractSchemas } from "../messages/registry.ts";
import { uriRules } from "../reading/read-reference.ts";
import { formats } from "../reference/data-reference.ts";
// Imported for their registration.
import "../messages/messages.ts";

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Record<string, unknown>;

/** The messages of the contract as JSON Schemas by name, with `$ref`s made by `uri`. */
export function createJsonSchemas(uri: (id: string) => string): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(contractSchemas, { uri, io: "input" });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => {
      const { $id: _id, $schema: _schema, ...rest } = schema as JsonSchema;
      return [id, id === "DataReference" ? { ...rest, allOf: referenceRules() } : rest];
    }),
  );
}

/** The rules of a reference that join two fields, which the schema of its shape cannot say. */
function referenceRules(): JsonSchema[] {
  const when = (protocol: JsonSchema, then: JsonSchema) => ({
    if: { properties: { protocol } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { properties: then },
  });
  return [
    when({ not: { const: "grpc" } }, { format: { enum: [...formats] } }),
    ...Object.entries(uriRules).map(([protocol, { pattern }]) =>
      when({ const: protocol }, { uri: { pattern: pattern.source } }),
    ),
  ];
}
