/** Writes the generated documents of the contract: schemas/<Message>.json and schemas/openapi.json. */
import { mkdir, writeFile } from "node:fs/promises";
import { createOpenApi } from "./openapi/create-openapi.ts";
import { createJsonSchemas } from "./openapi/json-schemas.ts";

const folder = new URL("../schemas/", import.meta.url);
await mkdir(folder, { recursive: true });
const schemas = Object.entries(createJsonSchemas((id) => `${id}.json`)).map(([id, schema]) => [
  `${id}.json`,
  { $schema: "https://json-schema.org/draft/2020-12/schema", title: id, ...schema },
]);
for (const [name, document] of [...schemas, ["openapi.json", createOpenApi()]]) {
  await writeFile(new URL(name as string, folder), `${JSON.stringify(document, null, 2)}\n`);
}
