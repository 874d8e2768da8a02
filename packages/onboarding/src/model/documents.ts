import * as z from "zod";

const signatureSchema = z.strictObject({
  operation_name: z.string().min(1),
  output_message_name: z.string().default(""),
  input_message_name: z.string().default(""),
  output_message_stream: z.boolean().default(false),
  input_message_stream: z.boolean().default(false),
});

const operationSchema = z.strictObject({
  connected_to: z
    .array(
      z.strictObject({
        container_name: z.string().min(1),
        operation_signature: z.strictObject({ operation_name: z.string().min(1) }),
      }),
    )
    .default([]),
  operation_signature: signatureSchema,
});

/** blueprint.json, as the deployed orchestrator takes it. */
export const blueprintSchema = z.strictObject({
  $schema: z.string().optional(),
  nodes: z
    .array(
      z.strictObject({
        proto_uri: z.string(),
        image: z.string(),
        node_type: z.string(),
        container_name: z.string().min(1),
        operation_signature_list: z.array(operationSchema).min(1),
      }),
    )
    .min(1),
  name: z.string(),
  pipeline_id: z.string(),
  creation_date: z.string(),
  type: z.string(),
  version: z.string(),
});

/** dockerinfo.json; ports are texts. */
export const dockerInfoSchema = z.strictObject({
  $schema: z.string().optional(),
  docker_info_list: z.array(
    z.strictObject({
      container_name: z.string().min(1),
      ip_address: z.string().min(1),
      port: z.string().regex(/^[1-9]\d{0,4}$/, 'expected a port as a text, as in "8080"'),
    }),
  ),
});
