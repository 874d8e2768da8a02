import * as z from "zod";
import { blueprintSchema } from "./blueprint.ts";
import { connectionsSchema } from "./connections.ts";
import { dockerinfoSchema } from "./dockerinfo.ts";

/** JSON Schemas of pipeline files by the names of theirs, for editors and other languages. */
export function createJsonSchemas(): Record<string, object> {
  const schemas = {
    blueprint: blueprintSchema,
    connections: connectionsSchema,
    dockerinfo: dockerinfoSchema,
  };
  return Object.fromEntries(
    // As files are written: what has a default may be left out.
    Object.entries(schemas).map(([name, schema]) => [
      `${name}.schema.json`,
      { title: `${name}.json`, ...z.toJSONSchema(schema, { io: "input" }) },
    ]),
  );
}
