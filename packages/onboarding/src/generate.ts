/** Writes the JSON Schemas of pipeline files: schemas/<file>.schema.json. */
import { mkdir, writeFile } from "node:fs/promises";
import * as z from "zod";
import { blueprintSchema } from "./model/blueprint.ts";
import { connectionsSchema } from "./model/connections.ts";
import { dockerinfoSchema } from "./model/dockerinfo.ts";

const schemas = { blueprint: blueprintSchema, connections: connectionsSchema, dockerinfo: dockerinfoSchema };
const folder = new URL("../schemas/", import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, schema] of Object.entries(schemas)) {
  // As files are written: what has a default may be left out.
  const document = { title: `${name}.json`, ...z.toJSONSchema(schema, { io: "input" }) };
  await writeFile(new URL(`${name}.schema.json`, folder), `${JSON.stringify(document, undefined, 2)}\n`);
}
