import * as z from "zod";

const port = z
  .string()
  .regex(/^[0-9]{1,5}$/, 'expected a port as a text, as in "8080"')
  .refine((text) => Number(text) >= 1 && Number(text) <= 65_535, "expected a port from 1 to 65535");

const entry = z.strictObject({
  container_name: z.string().min(1).describe("A container of the blueprint."),
  ip_address: z.string().min(1).describe("Host name or address, without scheme, port or path."),
  port: port.describe("The HTTP control port, as a text."),
});

/** dockerinfo.json: where the containers of a blueprint are. */
export const dockerinfoSchema = z.strictObject({ docker_info_list: z.array(entry) });

/** Takes numbers as ports too, which people write and the reference orchestrator reads. */
export const lenientDockerinfoSchema = z.strictObject({
  docker_info_list: z.array(entry.extend({ port: z.union([port, z.int().min(1).max(65_535)]) })),
});
