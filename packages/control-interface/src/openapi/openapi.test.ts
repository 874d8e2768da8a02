import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { createOpenApi } from "./create-openapi.ts";
import { createJsonSchemas } from "./json-schemas.ts";

const folder = new URL("../../schemas/", import.meta.url);
const published = async (name: string) => JSON.parse(await readFile(new URL(name, folder), "utf8"));

describe("published documents", () => {
  it("are what the sources generate; run `npm run generate` after a change", async () => {
    const schemas = createJsonSchemas((id) => `${id}.json`);
    expect((await readdir(folder)).sort()).toEqual(
      [...Object.keys(schemas).map((id) => `${id}.json`), "openapi.json"].sort(),
    );
    for (const [id, schema] of Object.entries(schemas))
      expect(await published(`${id}.json`)).toMatchObject(schema);
    expect(await published("openapi.json")).toEqual(JSON.parse(JSON.stringify(createOpenApi())));
  });

  it("point only at schemas that are there", () => {
    const text = JSON.stringify(createOpenApi({ secured: true }));
    const names = new Set(Object.keys(createOpenApi().components.schemas));
    const pointed = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name as string);
    expect(pointed.length).toBeGreaterThan(10);
    expect(pointed.filter((name) => !names.has(name))).toEqual([]);
  });

  it("ask for a token everywhere but on /health, where the service has a key", () => {
    const { paths } = createOpenApi({ secured: true });
    expect(paths["/health"]?.get?.security).toBeUndefined();
    expect(paths["/control/execute"]?.post).toMatchObject({
      security: [{ bearer: [] }],
      responses: { 401: {} },
    });
    expect(createOpenApi().components.securitySchemes).toBeUndefined();
  });

  it("know the service's methods", () => {
    expect(createOpenApi({ methods: ["Load"] }).components.schemas.ExecuteRequest).toMatchObject({
      properties: { method: { enum: ["Load"] } },
    });
  });
});
