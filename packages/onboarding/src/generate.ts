/** Writes the JSON Schemas of pipeline files: schemas/<file>.schema.json. */
import { mkdir, writeFile } from "node:fs/promises";
import { createJsonSchemas } from "./model/json-schemas.ts";

const folder = new URL("../schemas/", import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, schema] of Object.entries(createJsonSchemas())) {
  await writeFile(new URL(name, folder), `${JSON.stringify(schema, undefined, 2)}\n`);
}
