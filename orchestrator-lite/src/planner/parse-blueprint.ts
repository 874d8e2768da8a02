import * as z from "zod";
import { limits } from "./limits.ts";
import type { DocumentProblem } from "./problem.ts";
import { checkShape, toPathText } from "./shape.ts";

const name = z.string().min(1);

const operationSignature = z.strictObject({
  operation_name: name,
  output_message_name: z.string().optional(),
  input_message_name: z.string().optional(),
  output_message_stream: z.boolean().optional(),
  input_message_stream: z.boolean().optional(),
});

const blueprintSchema = z.strictObject({
  nodes: z
    .array(
      z.strictObject({
        container_name: name,
        node_type: z.string(),
        proto_uri: z.string().optional(),
        image: z.string().optional(),
        operation_signature_list: z
          .array(
            z.strictObject({
              operation_signature: operationSignature,
              connected_to: z
                .array(z.strictObject({ container_name: name, operation_signature: operationSignature }))
                .default([]),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
  name: z.string(),
  pipeline_id: z.string(),
  creation_date: z.string().optional(),
  type: z.string().optional(),
  version: z.string().optional(),
});

/** What a blueprint says about what runs and in which order. */
export type Blueprint = z.infer<typeof blueprintSchema>;

/**
 * Reads a blueprint's shape: an unknown key anywhere is a problem; proto_uri, image, creation_date,
 * type, version and message names may be absent. What its nodes say together: `toGraph`.
 */
export function parseBlueprint(
  value: unknown,
): { blueprint: Blueprint; problems: [] } | { blueprint?: undefined; problems: DocumentProblem[] } {
  const tooLarge = countNodes(value) > limits.nodes;
  if (tooLarge) return { problems: [problem("nodes", `expected at most ${limits.nodes}, found more`)] };
  const { value: blueprint, problems } = checkShape(blueprintSchema, value);
  if (blueprint !== undefined) return { blueprint, problems: [] };
  return { problems: problems.map(({ path, message }) => problem(toPathText(path), message)) };
}

function countNodes(value: unknown): number {
  const nodes = (value as { nodes?: unknown } | null)?.nodes;
  return Array.isArray(nodes) ? nodes.length : 0;
}

function problem(at: string, message: string): DocumentProblem {
  return { document: "blueprint", at, message };
}
