/** Writes the published JSON Schemas: schemas/report-1.json and schemas/manifest-1.json. */
import { mkdir, writeFile } from "node:fs/promises";
import * as z from "zod";
import { reportSchema } from "./report/document.ts";
import { manifestSchema } from "./target/manifest.ts";

const folder = new URL("../schemas/", import.meta.url);
await mkdir(folder, { recursive: true });
const documents = {
  "report-1.json": z.toJSONSchema(reportSchema, { io: "output" }),
  "manifest-1.json": z.toJSONSchema(manifestSchema, { io: "input" }),
};
for (const [name, { $schema, ...schema }] of Object.entries(documents)) {
  const document = { $schema, title: name.replace(".json", ""), ...schema };
  await writeFile(new URL(name, folder), `${JSON.stringify(document, null, 2)}\n`);
}
