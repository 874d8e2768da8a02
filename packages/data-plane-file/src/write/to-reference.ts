import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import {
  ControlError,
  createInlineReference,
  createReference,
  type DataReference,
  type Format,
} from "@aieffect/control-interface";
import { toUnreadable } from "../read/failures.ts";
import { type S3Object, toS3Uri } from "../s3/address.ts";
import type { StoredPayload } from "./store.ts";

/** What else a reference can say. */
export type ReferenceExtra = Partial<Pick<DataReference, "schema_uri" | "metadata">>;

/** What an inline reference can be given. */
export interface InlineOptions extends ReferenceExtra {
  /** Refuse a larger payload, in bytes; a plane has its own as `max_inline_bytes`. @default 1 MiB */
  max_bytes?: number | undefined;
}

/** A reference to a stored payload for services that share the storage (R-REF-18). */
export function toFileReference(stored: StoredPayload, extra: ReferenceExtra = {}): DataReference {
  return createReference({ protocol: "file", uri: stored.path, ...measured(stored), ...extra });
}

/**
 * A reference to a stored payload that peers fetch from `url`, which may be signed.
 *
 * @throws ControlError `invalid_reference` when `url` is no complete http or https URL (R-REF-05)
 */
export function toHttpReference(
  stored: StoredPayload,
  url: string,
  extra: ReferenceExtra = {},
): DataReference {
  const protocol = url.startsWith("https://") ? "https" : "http";
  return createReference({ protocol, uri: url, ...measured(stored), ...extra });
}

/**
 * A reference to a stored payload that was put into a bucket (R-REF-06), for services that have
 * credentials for it. For those without, give `toHttpReference` the object's presigned URL.
 */
export function toS3Reference(
  stored: StoredPayload,
  object: S3Object,
  extra: ReferenceExtra = {},
): DataReference {
  return createReference({ protocol: "s3", uri: toS3Uri(object), ...measured(stored), ...extra });
}

/**
 * A reference that carries the payload itself (R-REF-04): of a stored payload, any file, or bytes.
 *
 * @throws ControlError `invalid_reference` for an empty payload and for one above `max_bytes`
 */
export async function toInlineReference(
  source: Pick<StoredPayload, "path" | "format"> | { bytes: Uint8Array | string; format: Format },
  { max_bytes = 2 ** 20, ...extra }: InlineOptions = {},
): Promise<DataReference> {
  const bytes =
    "bytes" in source ? Buffer.from(source.bytes as Uint8Array) : await readUpTo(max_bytes + 1, source.path);
  const what = "bytes" in source ? "the payload" : source.path;
  if (bytes.length === 0) {
    throw new ControlError(
      "invalid_reference",
      `Expected ${what} to have at least one byte, found none: nothing cannot be published inline (R-REF-04); publish it as file or http`,
    );
  }
  if (bytes.length > max_bytes) {
    throw new ControlError(
      "invalid_reference",
      `Expected ${what} to have at most ${max_bytes} bytes to be published inline, found more; publish it as file or http, or raise \`max_inline_bytes\``,
    );
  }
  const checksum = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return createInlineReference(bytes, source.format, { checksum, ...extra });
}

function measured({ format, size_bytes, checksum }: StoredPayload) {
  return { format, size_bytes, checksum };
}

/** A file of any size costs no more memory than what is asked for. */
async function readUpTo(count: number, path: string): Promise<Buffer> {
  try {
    const handle = await open(path, "r");
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of handle.createReadStream({ end: count - 1, autoClose: false }))
        chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw toUnreadable(path, error);
  }
}
