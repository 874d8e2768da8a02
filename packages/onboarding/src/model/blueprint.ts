import * as z from "zod";

const name = z.string().min(1);

const operationSchema = z.strictObject({
  operation_name: name.describe("An RPC of the node's proto."),
  output_message_name: z.string().optional(),
  input_message_name: z.string().optional(),
  output_message_stream: z.boolean().optional(),
  input_message_stream: z.boolean().optional(),
});

const nodeSchema = z.strictObject({
  proto_uri: name.describe("Path of the node's proto in the package."),
  image: name.describe("The container's image, with its tag or digest."),
  node_type: z
    .string()
    .describe(
      "DataSource without an incoming connection, else DataSink without an outgoing one, else MLModel.",
    ),
  container_name: name,
  operation_signature_list: z
    .array(
      z.strictObject({
        connected_to: z
          .array(z.strictObject({ container_name: name, operation_signature: operationSchema }))
          .default([])
          .describe("Which operations take the output of this one."),
        operation_signature: operationSchema,
      }),
    )
    .min(1),
});

/** blueprint.json as the deployed orchestrator demands it; an unknown key anywhere is an error. */
export const blueprintSchema = z.strictObject({
  nodes: z.array(nodeSchema).min(1),
  name: z.string(),
  pipeline_id: z.string(),
  creation_date: z.string(),
  type: z.string(),
  version: z.string(),
});

/** What documentation leaves out of a blueprint, and the reference orchestrator does without. */
export const lenientBlueprintSchema = blueprintSchema
  .partial({ creation_date: true, type: true, version: true })
  .extend({ nodes: z.array(nodeSchema.partial({ proto_uri: true, image: true })).min(1) });

/** A blueprint as anybody wrote it. */
export type ReadBlueprint = z.infer<typeof lenientBlueprintSchema>;
