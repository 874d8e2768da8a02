import * as z from "zod";

/** The messages of the contract by name; OpenAPI and the JSON Schemas are generated from it. */
export const contractSchemas = z.registry<{ id: string; description?: string }>();
