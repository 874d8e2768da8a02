import { isIPv6 } from "node:net";
import * as z from "zod";
import { creationDatePattern, isCreationDate } from "./creation-date.ts";

const creationDateExpected = "expected a date that exists, as in 2026-02-25 01:55:50";

const hostPattern = /^[A-Za-z0-9]([A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?$/;

/** A host name on the network, or an address. */
export const hostSchema = z
  .string()
  .regex(hostPattern, "expected a host name or an address, as in data-loader")
  // What does not look like one at all has been refused already.
  .refine(
    (host) => !hostPattern.test(host) || isHost(host),
    "expected a host name or an address without a port, which has a field of its own",
  )
  .describe("Host name of the service on the Docker network, or an address.");

/** Whether orchestrators can call a host: a name, or an address, of version 6 with its brackets or without. */
export function isHost(text: string): boolean {
  if (text.includes(":")) return isIPv6(text.replace(/^\[(.*)\]$/, "$1"));
  return /^[\w.-]+$/.test(text) && URL.canParse(`http://${text}`);
}

const mappingSchema = z
  .strictObject({
    ip_address: hostSchema,
    port: z.int().min(1).max(65_535).describe("The HTTP control port of the service."),
  })
  .describe("Where one node answers.");

/** Folder names: they become container names, file names and keys. */
export const folderSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, "expected letters, digits, _ and -, as in data_loader");

const connectionSchema = z
  .strictObject({
    from_service: z.string().min(1).describe("A folder below services/, or the ip_address of one."),
    from_method: z.string().min(1).optional().describe("An RPC of its proto; needed where it has several."),
    to_service: z.string().min(1).describe("A folder below services/, or the ip_address of one."),
    to_method: z.string().min(1).optional().describe("An RPC of its proto; needed where it has several."),
  })
  .describe("The output of one RPC is an input of another.");

/** connections.json; the oldest form has no `service_mapping`. */
export const connectionsSchema = z.strictObject({
  $schema: z.string().optional(),
  pipeline: z.strictObject({
    name: z.string().min(1),
    description: z.string().default(""),
    start_service: z
      .string()
      .min(1)
      .optional()
      .describe("The service that the workflow's inputs go to: a folder below services/, or its ip_address."),
    creation_date: z
      .string()
      .regex(creationDatePattern, creationDateExpected)
      .refine(isCreationDate, creationDateExpected)
      .optional()
      .describe("creation_date of the blueprint; an export never looks at the clock. Default: 1980-01-01."),
    service_mapping: z
      .record(folderSchema, mappingSchema)
      .optional()
      .describe("One entry per folder below services/."),
    connections: z.array(connectionSchema).default([]),
  }),
});

/** connections.json as it was read. */
export type ConnectionsFile = z.infer<typeof connectionsSchema>;
