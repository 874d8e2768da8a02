import { createHash } from "node:crypto";

/** What ids of pipelines are made in; any other value would give other ids. */
const namespace = Buffer.from("5d1c0f8e7b0a4f0b9a3c2f4e6d8b1a70", "hex");

/** UUID of version 5 (RFC 9562, 5.5): the same text, the same id. */
export function toUuid(text: string): string {
  const bytes = createHash("sha1").update(namespace).update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
